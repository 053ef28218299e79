//! What the page says, in each of its languages.

use paywarden_notify::confirmation::Answer;

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

/// Everything that is said in one language. `{}` stands for whoever asks.
pub(super) struct Words {
    /// As HTML names the language.
    pub(super) tag: &'static str,
    /// The other language, by its own name.
    pub(super) other: &'static str,
    /// The value of `lang` that leads there.
    pub(super) other_code: &'static str,
    /// Whoever asks, when they gave no name.
    pub(super) somebody: &'static str,
    pub(super) title: &'static str,
    pub(super) asks: &'static str,
    pub(super) when: &'static str,
    pub(super) amount: &'static str,
    pub(super) payee: &'static str,
    pub(super) card: &'static str,
    answers: [&'static str; 3],
    pub(super) once: &'static str,
    pub(super) never: &'static str,
    pub(super) choose: &'static str,
    pub(super) thanks: &'static str,
    pub(super) you_said: &'static str,
    next: [&'static [&'static str]; 3],
    pub(super) over: &'static str,
    pub(super) over_why: &'static str,
    pub(super) not_now: &'static str,
    pub(super) not_now_why: &'static str,
}

const ENGLISH: Words = Words {
    tag: "en",
    other: "中文",
    other_code: "zh",
    somebody: "Your payment company",
    title: "Was this you?",
    asks: "{} wants to make sure that you made this payment.",
    when: "When",
    amount: "Amount",
    payee: "Paid to",
    card: "Card",
    answers: [
        "Yes, this was me",
        "No, this was not me",
        "It was me, but I was tricked",
    ],
    once: "You can answer once. Your answer goes to {} alone.",
    never: "We never ask for a password, a code or a card number. If somebody told you what to \
            choose here, do not answer: call {} on the number that you know.",
    choose: "Please choose one of the three answers.",
    thanks: "Thank you",
    you_said: "Your answer:",
    next: [
        &["There is nothing else to do."],
        &[
            "{} looks into it now.",
            "If you can still see the payment in your app, do not confirm it there.",
            "Call {} on the number on your card or in your app, never on one from a message.",
        ],
        &[
            "{} looks into it now. This happens to careful people, and it is good that you said so.",
            "Pay nothing more, and break off with whoever asked you to pay, also if they \
             threaten or hurry you.",
            "Call {} on the number on your card or in your app. Keep messages and receipts, and \
             report it to the police.",
        ],
    ],
    over: "This link cannot be used",
    over_why: "It is not complete, or its time is over. If you do not know a payment, call {} on \
               the number on your card or in your app.",
    not_now: "Please try again in a minute",
    not_now_why: "Your answer was not taken. If it does not work then either, call {} on the \
                  number on your card or in your app.",
};

const CHINESE: Words = Words {
    tag: "zh-Hans",
    other: "English",
    other_code: "en",
    somebody: "您的支付机构",
    title: "这笔付款是您本人操作的吗？",
    asks: "{}想确认下面这笔付款是否由您本人发起。",
    when: "时间",
    amount: "金额",
    payee: "收款方",
    card: "银行卡",
    answers: ["是我本人付款", "不是我付款", "是我付的，但我被骗了"],
    once: "只能回答一次，您的回答仅发送给{}。",
    never: "我们绝不会索要密码、验证码或银行卡号。如果有人指示您如何选择，请不要回答，\
            并拨打您已知的官方电话联系{}。",
    choose: "请在三个选项中选择一个。",
    thanks: "谢谢您的回答",
    you_said: "您的回答：",
    next: [
        &["您无需再做任何操作。"],
        &[
            "{}已开始核查。",
            "如果您的应用里仍能看到这笔付款，请不要在那里确认。",
            "请拨打银行卡背面或应用内的官方电话联系{}，不要拨打短信或来电中提供的号码。",
        ],
        &[
            "{}已开始核查。谨慎的人也会遇到骗局，您能说出来非常重要。",
            "请不要再付款，并立即与要求您付款的人断绝联系，无论对方如何威胁或催促。",
            "请拨打银行卡背面或应用内的官方电话联系{}，保留聊天记录和凭证，\
             并向公安机关报案，也可拨打反诈专线 96110 咨询。",
        ],
    ],
    over: "此链接无法使用",
    over_why: "链接不完整或已过期。如果有您不认识的付款，请拨打银行卡背面或应用内的官方电话联系{}。",
    not_now: "请稍后再试",
    not_now_why: "您的回答尚未提交成功。如果仍然不行，请拨打银行卡背面或应用内的官方电话联系{}。",
};

impl Language {
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }

    /// The language of a tag (RFC 5646) that begins with it.
    pub(super) fn of(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// The one that a browser likes best (RFC 9110, section 12.5.4); English if it knows neither.
    pub(super) fn liked(accept: &str) -> Self {
        let ranked = accept.split(',').filter_map(|part| {
            let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
            let weight = rest.trim().strip_prefix("q=");
            let weight = weight.map_or(Some(1.0), |text| text.parse::<f32>().ok())?;
            Some((Self::of(tag)?, weight)).filter(|(_, weight)| *weight > 0.0)
        });
        // Of equals the first counts.
        let best = ranked.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map_or(Self::English, |(language, _)| language)
    }
}

impl Words {
    /// What the button of an answer says.
    pub(super) fn answer(&self, answer: Answer) -> &'static str {
        self.answers[answer as usize]
    }

    /// What to do after an answer.
    pub(super) fn next(&self, answer: Answer) -> &'static [&'static str] {
        self.next[answer as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_what_they_like_best() {
        for (accept, liked) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-GB,en;q=0.9,zh;q=0.8", Language::English),
            ("fr,zh-TW;q=0.5,en;q=0.4", Language::Chinese),
            ("de", Language::English),
            ("", Language::English),
            ("zh;q=0", Language::English),
            ("zh;q=x,en;q=0.1", Language::English),
            ("en,zh", Language::English),
        ] {
            assert_eq!(Language::liked(accept), liked, "{accept}");
        }
    }

    #[test]
    fn answers_stand_at_their_places() {
        for (place, answer) in Answer::ALL.into_iter().enumerate() {
            assert_eq!(answer as usize, place);
        }
    }
}
