//! Mandarin in Latin letters: phrases that everybody uses, and any chain of syllables.

use super::{Finding, Pattern, text::Text};

/// A chain shorter than this is as likely a part of an English word.
const SYLLABLES_MIN: usize = 2;
const LETTERS_MIN: usize = 4;
/// Two syllables make a word, and the three thousand most frequent ones cover most of what people
/// write; names are a surname of a hundred and one or two syllables.
const SYLLABLE_LOG10: f64 = 1.75;
const PHRASE_LOG10: f64 = 1.7;
const SYLLABLE_MAX: usize = 6;

/// What is said most: love, luck, greetings, words for secrets, places.
const PHRASES: &[&str] = &[
    "woaini",
    "aini",
    "woaiwo",
    "woshishui",
    "wodemima",
    "mima",
    "nihao",
    "nihaoma",
    "zhongguo",
    "beijing",
    "shanghai",
    "guangzhou",
    "shenzhen",
    "tianxia",
    "laopo",
    "laogong",
    "baobei",
    "baobao",
    "qinaide",
    "xihuan",
    "xiexie",
    "zaijian",
    "shengri",
    "kuaile",
    "xingfu",
    "pingan",
    "facai",
    "gongxi",
    "wangba",
    "shabi",
    "caonima",
    "tamade",
    "nimade",
    "qqmima",
    "zhifubao",
    "weixin",
    "taobao",
    "yinhang",
    "denglu",
    "guanliyuan",
    "ceshi",
    "jintian",
    "mingtian",
    "haoren",
    "tiantian",
    "xiaobai",
    "xiaoming",
    "zhangsan",
    "lisi",
    "wangwu",
    "asdasd",
];

/// The syllables of Mandarin without tones, by initial: what may follow it.
const FINALS: &[(&str, &str)] = &[
    ("", "a ai an ang ao e ei en eng er o ou"),
    ("b", "a ai an ang ao ei en eng i ian iao ie in ing o u"),
    ("p", "a ai an ang ao ei en eng i ian iao ie in ing o ou u"),
    (
        "m",
        "a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u",
    ),
    ("f", "a an ang ei en eng o ou u"),
    (
        "d",
        "a ai an ang ao e ei en eng i ia ian iao ie ing iu ong ou u uan ui un uo",
    ),
    (
        "t",
        "a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo",
    ),
    (
        "n",
        "a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong ou u uan uo v ve",
    ),
    (
        "l",
        "a ai an ang ao e ei eng i ia ian iang iao ie in ing iu ong ou u uan un uo v ve",
    ),
    (
        "g",
        "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    ),
    (
        "k",
        "a ai an ang ao e en eng ong ou u ua uai uan uang ui un uo",
    ),
    (
        "h",
        "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    ),
    ("j", "i ia ian iang iao ie in ing iong iu u uan ue un"),
    ("q", "i ia ian iang iao ie in ing iong iu u uan ue un"),
    ("x", "i ia ian iang iao ie in ing iong iu u uan ue un"),
    (
        "zh",
        "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo",
    ),
    (
        "ch",
        "a ai an ang ao e en eng i ong ou u uai uan uang ui un uo",
    ),
    (
        "sh",
        "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo",
    ),
    ("r", "an ang ao e en eng i ong ou u uan ui un uo"),
    ("z", "a ai an ang ao e ei en eng i ong ou u uan ui un uo"),
    ("c", "a ai an ang ao e en eng i ong ou u uan ui un uo"),
    ("s", "a ai an ang ao e en eng i ong ou u uan ui un uo"),
    ("y", "a an ang ao e i in ing o ong ou u uan ue un"),
    ("w", "a ai an ang ei en eng o u"),
];

pub(super) fn find(text: &Text, findings: &mut Vec<Finding>) {
    for chars in [&text.plain, &text.undone] {
        for start in 0..chars.len() {
            let rest = chars.get(start..).unwrap_or_default();
            for phrase in PHRASES.iter().filter(|phrase| begins(rest, phrase)) {
                findings.push(finding(text, start, phrase.len(), PHRASE_LOG10));
            }
        }
    }
    chains(text, findings);
}

fn finding(text: &Text, start: usize, length: usize, guesses_log10: f64) -> Finding {
    let end = start + length;
    Finding {
        pattern: Pattern::Pinyin,
        start,
        end,
        guesses_log10: guesses_log10 + text.dress_log10(start, end),
    }
}

/// The longest chains of syllables that do not lie in one another.
fn chains(text: &Text, findings: &mut Vec<Finding>) {
    let chars = &text.plain;
    // For each place, the end of the longest chain from there, and its fewest syllables.
    let mut longest: Vec<(usize, usize)> = (0..=chars.len()).map(|place| (place, 0)).collect();
    for start in (0..chars.len()).rev() {
        for length in 1..=SYLLABLE_MAX.min(chars.len() - start) {
            let syllable = chars.get(start..start + length).unwrap_or_default();
            let behind = longest.get(start + length).copied();
            if let (true, Some((end, syllables))) = (is_syllable(syllable), behind)
                && let Some(best) = longest.get_mut(start)
                && (end, std::cmp::Reverse(syllables + 1)) > (best.0, std::cmp::Reverse(best.1))
            {
                *best = (end, syllables + 1);
            }
        }
    }
    let mut covered = 0;
    for (start, (end, syllables)) in longest.into_iter().enumerate() {
        if end > covered && syllables >= SYLLABLES_MIN && end - start >= LETTERS_MIN {
            let guesses_log10 = syllables as f64 * SYLLABLE_LOG10;
            findings.push(finding(text, start, end - start, guesses_log10));
            covered = end;
        }
    }
}

fn is_syllable(chars: &[char]) -> bool {
    FINALS.iter().any(|(initial, finals)| {
        begins(chars, initial)
            && finals.split(' ').any(|last| {
                chars.len() == initial.len() + last.len()
                    && begins(chars.get(initial.len()..).unwrap_or_default(), last)
            })
    })
}

fn begins(chars: &[char], word: &str) -> bool {
    let mut rest = chars.iter();
    word.chars().all(|c| rest.next() == Some(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(password: &str) -> Vec<(usize, usize)> {
        let mut findings = Vec::new();
        chains(&Text::new(password), &mut findings);
        findings.iter().map(|f| (f.start, f.end)).collect()
    }

    #[test]
    fn chains_of_syllables_are_found_whole() {
        assert_eq!(found("zhangwei"), [(0, 8)]);
        assert_eq!(found("x9lvshi77"), [(2, 7)]);
        assert_eq!(found("Xiaohuangren!"), [(0, 12)]);
        assert_eq!(found("strength"), []);
        assert_eq!(found("kq7"), []);
    }

    #[test]
    fn there_are_four_hundred_syllables() {
        let count: usize = FINALS.iter().map(|(_, f)| f.split(' ').count()).sum();
        assert!((390..=410).contains(&count), "{count}");
    }
}
