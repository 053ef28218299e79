//! What shipped rules say, in Chinese: scenarios and reasons, and titles of rules about what people and
//! programs do with Paywarden itself. Titles of other single rules, like everything that a company
//! writes itself, stay in the language of whoever wrote them, below what is said in Chinese.

use crate::word::{Language, Word};

/// What a scenario is called; ours in the language of whoever looks, others as they are.
pub(crate) fn scenario(name: &str, language: Language) -> &str {
    let found = SCENARIOS.iter().find(|(known, _)| *known == name);
    found.map_or(name, |(_, word)| word.of(language))
}

/// What a reason says.
pub(crate) fn reason(text: &str, language: Language) -> &str {
    let found = REASONS.iter().find(|word| word.en == text);
    found.map_or(text, |word| word.of(language))
}

/// What a rule about acts is called.
pub(crate) fn act(title: &str, language: Language) -> &str {
    let found = ACTS.iter().find(|word| word.en == title);
    found.map_or(title, |word| word.of(language))
}

/// What a rule is about in the language of whoever looks, where its title is in another one: its
/// scenario, and its reason if that is known. Rules are named by their scenario.
pub(crate) fn about(rule: &str, reason: Option<&str>, language: Language) -> Option<String> {
    let (pack, _) = rule.split_once('.')?;
    let (_, word) = SCENARIOS.iter().find(|(known, _)| *known == pack)?;
    let said = word.of(language);
    (language != Language::En).then(|| match reason {
        Some(text) => format!("{said}：{}", self::reason(text, language)),
        None => said.to_owned(),
    })
}

const fn word(en: &'static str, zh: &'static str) -> Word {
    Word { en, zh }
}

/// Packs and their titles.
#[rustfmt::skip]
pub(crate) const SCENARIOS: &[(&str, Word)] = &[
    ("account_opening", word("Account opening", "开户")),
    ("account_takeover", word("Account takeover", "账户盗用")),
    ("advance_fee", word("Fees in advance", "预付费诈骗")),
    ("api_abuse", word("Programming interface abuse", "程序接口滥用")),
    ("app_scam", word("Authorised payment scams", "授权支付诈骗")),
    ("assisted_channel", word("Call centre and branch", "客服与网点")),
    ("atm_abuse", word("Cash machine abuse", "自助机滥用")),
    ("bin_attack", word("Generated card numbers", "卡号生成攻击")),
    ("bust_out_merchant", word("Merchant bust-out", "商户卷款")),
    ("card_checks", word("Card checks", "卡片校验")),
    ("card_testing", word("Card testing", "试卡")),
    ("cash_intensive", word("Cash that does not fit", "现金不符")),
    ("chargeback_patterns", word("Confirmed fraud nearby", "关联已确认欺诈")),
    ("charity_scam", word("False charities", "虚假慈善")),
    ("contactless_abuse", word("Contactless abuse", "非接触滥用")),
    ("corridor_limits", word("Limits by corridor", "汇路限额")),
    ("corruption_pep", word("Corruption and persons of public trust", "腐败与公众人物")),
    ("credential_stuffing", word("Credential stuffing", "撞库")),
    ("cross_border_anomaly", word("Cross-border anomaly", "跨境异常")),
    ("customer_limits", word("Limits of young customers", "新客户限额")),
    ("customer_profile", word("Against the customer profile", "与客户资料不符")),
    ("customer_rating", word("Risk rating of the customer", "客户风险评级")),
    ("device_posture", word("Device posture", "设备状况")),
    ("dormant_reactivation", word("After a long silence", "长期沉默之后")),
    ("early_redemption", word("Bought to be given back", "买入即退")),
    ("elder_fraud", word("Elder fraud", "针对老年人的欺诈")),
    ("fake_authority", word("False officials", "冒充公职人员")),
    ("fake_service_desk", word("False service desks", "冒充客服")),
    ("family_emergency", word("False relatives and friends", "冒充亲友")),
    ("first_party_fraud", word("First-party fraud", "第一方欺诈")),
    ("front_merchant", word("Front merchants", "空壳商户")),
    ("gambling_misuse", word("Misuse of gambling", "赌博滥用")),
    ("gambling_proceeds", word("Illegal gambling", "非法赌博")),
    ("gather_scatter", word("Gather and scatter", "先聚后散")),
    ("gift_card_fraud", word("Gift card fraud", "礼品卡欺诈")),
    ("high_risk_corridor", word("Countries and corridors", "高风险国家与汇路")),
    ("human_trafficking", word("Trafficking and exploitation", "人口贩运与剥削")),
    ("impersonation_bank", word("False bank and safe account", "冒充银行与安全账户")),
    ("investment_scam", word("Investment scams", "投资诈骗")),
    ("invoice_redirection", word("Redirected invoices and false directors", "篡改发票与冒充高管")),
    ("job_scam", word("Job scams and borrowed accounts", "求职诈骗与借用账户")),
    ("laundering_segments", word("Pass-through, silence and collection by segment", "分群过渡、沉默与归集")),
    ("layering", word("Layering", "分层转移")),
    ("lists", word("Lists", "名单管理")),
    ("loan_back", word("Loans as a disguise", "贷款伪装")),
    ("lost_card", word("Lost or found card", "遗失或拾得卡")),
    ("mcc_misuse", word("Misused merchant category", "商户类别滥用")),
    ("merchant_collusion", word("Merchant collusion", "商户串通")),
    ("merchant_ramp", word("Growth of young merchants", "新商户增长")),
    ("merchant_risk", word("Merchant risk", "商户风险")),
    ("money_flow", word("Flows of money from account to account", "账户间资金流")),
    ("moto_fraud", word("Mail and telephone order", "邮购与电话订购")),
    ("mule", word("Money mules", "资金骡子")),
    ("nested_services", word("Payment services inside payment services", "嵌套支付服务")),
    ("network_posture", word("Network posture", "网络状况")),
    ("new_account", word("New customers", "新客户")),
    ("opening_hours", word("Opening hours", "营业时间")),
    ("pass_through", word("Pass-through accounts", "过渡账户（快进快出）")),
    ("payout_fraud", word("Payout fraud", "出款欺诈")),
    ("payroll_misuse", word("Payroll misuse", "工资滥用")),
    ("prepaid_abuse", word("Prepaid abuse", "预付卡滥用")),
    ("prepaid_cards", word("Prepaid cards", "预付卡")),
    ("promo_abuse", word("Promotion abuse", "优惠滥用")),
    ("purchase_scam", word("Purchase, ticket and game trade scams", "购物、票务与游戏交易诈骗")),
    ("qr_code_abuse", word("QR code abuse", "二维码滥用")),
    ("quasi_cash", word("As good as cash", "准现金")),
    ("refund_abuse", word("Refund and dispute abuse", "退款与争议滥用")),
    ("rental_scam", word("Rental deposits", "租房押金诈骗")),
    ("repeated_routes", word("Routes used again", "重复路径")),
    ("reporting_limits", word("Reporting limits by country", "各国报告限额")),
    ("reshipping", word("Reshipping", "转运")),
    ("romance_scam", word("Romance and blackmail", "婚恋诈骗与敲诈")),
    ("round_trip", word("Round trips", "循环回流")),
    ("scam_posture", word("Scam posture by kind of customer", "按客户类型的受骗迹象")),
    ("scam_purposes_goods", word("Scams by purpose: goods and services", "按用途识别诈骗：商品与服务")),
    ("scam_purposes_money", word("Scams by purpose: gain and fees", "按用途识别诈骗：收益与费用")),
    ("scam_purposes_people", word("Scams by purpose: people and authorities", "按用途识别诈骗：人员与机构")),
    ("scatter_gather", word("Scatter and gather", "先散后聚")),
    ("screening", word("Parties on screening lists", "名单命中主体（筛查）")),
    ("segment_baseline", word("Against the segment", "与同类客户比较")),
    ("segment_limits", word("Limits by kind of customer", "按客户类型限额")),
    ("seller_risk", word("Marketplace sellers", "平台卖家")),
    ("sim_swap", word("SIM swap", "手机卡被换")),
    ("smurfing_network", word("Smurfing networks", "蚂蚁搬家网络")),
    ("spending_baseline", word("Against the own history", "与自身历史比较")),
    ("stolen_card", word("Stolen card data", "盗用卡信息")),
    ("structuring", word("Structuring", "拆分")),
    ("subscription_abuse", word("Subscription abuse", "订阅滥用")),
    ("synthetic_identity", word("Synthetic identity", "拼凑身份")),
    ("task_rebate", word("Paid tasks and rebates", "刷单返利")),
    ("tax_evasion", word("Concealed income", "隐匿收入")),
    ("tech_support", word("False technical support and shared screens", "虚假技术支持与共享屏幕")),
    ("terminal_risk", word("Compromised terminals", "终端被侵入")),
    ("terrorist_financing", word("Terrorist financing", "恐怖融资")),
    ("ticket_size", word("Ticket sizes", "客单价")),
    ("token_provisioning", word("Cards on device wallets", "设备钱包绑卡")),
    ("trade_based", word("Trade-based laundering", "贸易洗钱")),
    ("trade_limits", word("Limits by trade", "按行业限额")),
    ("trade_tickets", word("Tickets by trade", "按行业客单价")),
    ("transaction_laundering", word("Transaction laundering at the merchant", "商户交易洗钱")),
    ("transaction_laundering_payments", word("Transaction laundering, the money side", "商户交易洗钱（资金侧）")),
    ("travel_fraud", word("Travel fraud", "旅行欺诈")),
    ("travel_rule", word("Who pays and who is paid", "付款人与收款人信息")),
    ("triangulation", word("Triangulation", "三角欺诈")),
    ("underground_banking", word("Informal value transfer", "地下钱庄")),
    ("value_goods", word("Goods that hold value", "保值商品")),
    ("virtual_assets", word("Virtual assets", "虚拟资产")),
    ("wallet_abuse", word("Wallet abuse", "钱包滥用")),
    ("wallet_layering", word("Layering through wallets", "经钱包分层")),
];

/// What reasons of rules say.
#[rustfmt::skip]
pub(crate) const REASONS: &[Word] = &[
    word("A payer has reported this payee", "付款人举报过该收款人"),
    word("Account opened in unusual circumstances", "开户情形异常"),
    word("Account used to collect or pass on money of others", "账户用于归集或转移他人资金"),
    word("Activity that does not fit the merchant category", "交易与商户类别不符"),
    word("Amount far above what is usual here", "金额远高于此处常见水平"),
    word("Amounts kept under a reporting threshold", "金额刻意低于报告限额"),
    word("Bank on a list of sanctions", "银行在制裁名单中"),
    word("Call-centre or branch order with signs of impersonation", "客服或网点办理，疑似冒充他人"),
    word("Card added to a device wallet in unusual circumstances", "在异常情形下将卡加入设备钱包"),
    word("Card details do not agree with the record of the issuer", "卡信息与发卡行记录不一致"),
    word("Cardholder authentication failed", "持卡人身份验证失败"),
    word("Cards seem to be copied at one point", "疑似在同一处侧录银行卡"),
    word("Cash that does not fit the customer", "现金与客户情况不符"),
    word("Confirmed fraud at this merchant", "该商户已确认欺诈"),
    word("Confirmed fraud at this terminal", "该终端已确认欺诈"),
    word("Confirmed fraud from this device", "该设备已确认欺诈"),
    word("Confirmed fraud from this network address", "该网络地址已确认欺诈"),
    word("Confirmed fraud on this card", "该卡已确认欺诈"),
    word("Confirmed fraud on this customer", "该客户已确认欺诈"),
    word("Confirmed fraud on this issuer range", "该卡段已确认欺诈"),
    word("Contact data or card shared by unusually many customers", "联系方式或银行卡被异常多的客户共用"),
    word("Contactless payments that do not look like tapping", "非接触支付不像正常挥卡"),
    word("Country with higher risk", "较高风险国家或地区"),
    word("Credit line turned into cash", "信用额度套现"),
    word("Divided money meets again", "资金分散后再汇合"),
    word("Gambling with signs of money that is not the own", "赌博资金疑似非本人所有"),
    word("Gift card loads or purchases that look like cashing out", "礼品卡充值或购买疑似套现"),
    word("Goods sent to an address that serves strangers", "货物寄往代收地址"),
    word("Goods that are as good as cash", "购买等同现金的商品"),
    word("History of disputed payments", "有争议支付记录"),
    word("Identity that looks assembled rather than grown", "身份疑似拼凑而成"),
    word("Incentives collected by the same hands", "同一批人套取优惠"),
    word("Investment bought and returned without reason", "无故买入后即赎回"),
    word("Large transfer abroad of a high-risk customer", "高风险客户大额境外转账"),
    word("Listed as denied", "在拒绝名单中"),
    word("Listed as trusted", "在可信名单中"),
    word("Listed for a closer look", "在关注名单中"),
    word("Listed to be asked for a further factor", "在须加验名单中"),
    word("Loan that does not look like a loan", "贷款不像真实贷款"),
    word("Many payers to one payee", "多人付款给同一收款人"),
    word("Merchant activity that calls for care", "商户交易须关注"),
    word("Merchant volume out of proportion to its history", "商户交易量与历史不成比例"),
    word("Money collected from many", "向多人归集资金"),
    word("Money goes in circles", "资金循环回流"),
    word("Money leaves soon after it came in", "资金到账后很快转出"),
    word("Money spread over many payees", "资金分散至多个收款人"),
    word("Money turned into virtual assets in a risky pattern", "资金以高风险方式换成虚拟资产"),
    word("More turnover than the due diligence covers", "交易额超出尽职调查范围"),
    word("New customer with unusual first steps", "新客户初期行为异常"),
    word("No relationship with this customer", "禁止与该客户建立业务关系"),
    word("Order by mail or telephone with signs of foreign card data", "邮购或电话订购疑似使用他人卡信息"),
    word("Party on a list of sanctions", "主体在制裁名单中"),
    word("Party that may be on a list of sanctions", "主体疑似在制裁名单中"),
    word("Party with an adverse record", "主体有负面记录"),
    word("Pattern of a found card used without its PIN", "拾得卡无密码使用"),
    word("Pattern of generated card numbers from one issuer range", "同一卡段批量生成卡号"),
    word("Pattern of illegal gambling", "疑似非法赌博"),
    word("Pattern of money transfer without a licence", "疑似无牌照汇兑"),
    word("Pattern of trying out card numbers", "疑似试卡"),
    word("Payer and merchant seem to act together", "付款人与商户疑似串通"),
    word("Payments for trade that do not fit the trade", "贸易付款与贸易不符"),
    word("Payments of others run through this customer", "通过该客户代他人付款"),
    word("Payments to this payee were reported as fraud", "付给该收款人的款项曾被举报欺诈"),
    word("Payout with signs of diversion", "出款疑似被转移"),
    word("Person of public trust or near one", "政治公众人物或其关系人"),
    word("Places that do not fit together", "各处地点相互矛盾"),
    word("Prepaid card used in an unusual way", "预付卡使用异常"),
    word("Prepaid cards gathered or loaded in a pattern", "预付卡成批归集或充值"),
    word("Program access used in an unusual way", "程序接口使用异常"),
    word("QR code collecting in an unusual way", "二维码收款异常"),
    word("Recurring charges that the cardholder may not expect", "持卡人可能不知情的周期扣款"),
    word("Refunds that do not fit the purchases", "退款与购买不符"),
    word("Restricted or sanctioned party", "受限或受制裁主体"),
    word("Sales that do not belong to this merchant", "销售不属于该商户"),
    word("Sanctioned name in the remittance text", "附言中有制裁名单姓名"),
    word("Seller takes money out ahead of the risk", "卖家先于风险提走资金"),
    word("Signs of accounts made in bulk", "疑似批量创建账户"),
    word("Signs of concealed income", "疑似隐匿收入"),
    word("Signs of guessed or replayed passwords", "疑似猜测或撞库密码"),
    word("Signs of support for terrorism", "疑似资助恐怖主义"),
    word("Signs that a reseller pays orders with cards of others", "疑似经销商用他人卡支付订单"),
    word("Signs that people are exploited", "疑似人员受剥削"),
    word("Signs that somebody else controls the account", "疑似他人控制账户"),
    word("Signs that the customer does not mean to pay", "客户疑似无意偿付"),
    word("Signs that the payer is being deceived", "付款人疑似受骗"),
    word("Signs that the phone number was taken over", "手机号疑似被他人接管"),
    word("Somebody else may see or steer the screen of the payer", "他人可能看到或操控付款人屏幕"),
    word("Spending departs from its own history", "消费偏离自身历史"),
    word("Sudden activity after a long silence", "长期沉默后突然活跃"),
    word("The card may be in the wrong hands", "银行卡可能落入他人之手"),
    word("The device cannot be trusted", "设备不可信"),
    word("The name of the payee does not fit the account", "收款人姓名与账户不符"),
    word("The origin of the request is hidden", "请求来源被隐藏"),
    word("Trade that does not look like trade", "交易不像真实买卖"),
    word("Travel booked with signs of foreign card data", "旅行预订疑似使用他人卡信息"),
    word("Turnover does not fit the customer", "交易额与客户情况不符"),
    word("Unusual withdrawals from cash machines", "自助机取现异常"),
    word("Unusually many cards, accounts or customers behind one network address", "同一网络地址后的卡、账户或客户过多"),
    word("Unusually many cards, accounts or customers on one device", "同一设备上的卡、账户或客户过多"),
    word("Unusually many payments from this account in a short time", "该账户短时间内支付过多"),
    word("Unusually many payments on this card in a short time", "该卡短时间内支付过多"),
    word("Wages that do not look like wages", "工资不像真实工资"),
    word("Wallet used in an unusual way", "钱包使用异常"),
    word("Who pays or who is paid is not complete", "付款人或收款人信息不完整"),
];

/// Titles of rules about acts.
#[rustfmt::skip]
pub(crate) const ACTS: &[Word] = &[
    word("A key is used from a network that is new to it", "密钥在从未用过的网络使用"),
    word("A key is used from where it may not be", "密钥在不允许的来源使用"),
    word("Signatures that name one key are refused again and again", "同一密钥的签名反复被拒"),
    word("A key is refused at many different doors", "密钥在许多不同接口被拒"),
    word("A key reads very many records within an hour", "密钥一小时内读取极多记录"),
    word("A key reads the trail for the first time", "密钥首次读取审计轨迹"),
    word("A person is not answered in time", "个人权利请求未按期答复"),
    word("A person is shown values while reading about more than ten subjects within an hour", "一小时内查阅超过十名个人并查看明文"),
    word("A person is shown values while reading about more than sixty subjects within a day", "一日内查阅超过六十名个人并查看明文"),
    word("A person goes on asking to be shown values although told to wait", "被要求等待后仍继续申请查看明文"),
    word("A person is shown values out of hours", "非工作时间查看明文"),
    word("A screening list could not be fetched, or what was fetched was refused", "筛查名单未能获取或获取内容被拒"),
    word("Two people vote on what the other asks for, within an hour", "两人一小时内互相审批"),
    word("A person casts five votes within a minute", "一分钟内投出五票"),
    word("A command takes effect in an emergency, without votes", "紧急情况下未经投票即执行"),
    word("An emergency is not reviewed in time", "紧急执行未按期复核"),
    word("A person is refused at many different doors", "员工在许多不同接口被拒"),
    word("Objects that do not exist are asked for again and again", "反复访问不存在的对象"),
    word("A value comes back to the list that it was taken off from within a day", "移出名单的值一日内又被加回"),
    word("One person changes the rights of others five times within ten minutes", "十分钟内五次变更他人权限"),
    word("Ten alerts are decided about within five minutes", "五分钟内处置十条告警"),
    word("A person works at an hour at which they never did, out of office hours", "在从未工作过的非工作时段操作"),
    word("A person reads many records out of office hours", "非工作时间读取大量记录"),
    word("Rights of people are changed out of office hours", "非工作时间变更人员权限"),
    word("Keys of programs are changed out of office hours", "非工作时间变更程序密钥"),
    word("A person reads many records within ten minutes", "十分钟内读取大量记录"),
    word("A person reads very many records within a day", "一日内读取极多记录"),
    word("A person reads about many different subjects within an hour", "一小时内查阅许多不同个人"),
    word("A person reads about very many subjects within a day", "一日内查阅极多不同个人"),
    word("A person reads ten times as much as on their other days", "读取量为其平日的十倍"),
    word("A person looks where they have not been for ninety days", "访问九十天未到过的区域"),
    word("A list or account is opened by somebody new to it, out of hours", "非工作时间首次打开某名单或账户"),
    word("A person exports for the first time", "首次导出数据"),
    word("A person exports from a network first used within the last hour", "在一小时内首次使用的网络导出数据"),
    word("A person reads again after a month", "相隔一个月后再次读取"),
    word("A person does very many different things within ten minutes", "十分钟内进行极多种操作"),
    word("An account is tried again and again", "同一账户反复尝试登录"),
    word("Many accounts are tried", "尝试登录多个账户"),
    word("A person signs in from a network that is new to them", "从未用过的网络登录"),
    word("A person acts from three networks within an hour", "一小时内从三个网络操作"),
    word("One session is used from two networks within a quarter of an hour", "同一会话十五分钟内用于两个网络"),
    word("Fresh factors are refused again and again within a session", "会话中身份验证反复失败"),
    word("Sensitive commands are tried without a fresh factor again and again", "反复未经验证尝试敏感操作"),
    word("The trail of the company cannot be signed", "公司审计轨迹无法签名"),
    word("The trail of the company, or a row that it speaks of, was changed", "公司审计轨迹或其所述记录被篡改"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    /// What stands behind a word at the beginning of lines, or after it within them.
    fn written(text: &str, word: &str) -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| {
            let (before, rest) = line.split_once(word)?;
            let is_word =
                before.trim_start_matches([' ', '-']).is_empty() || before.ends_with(", ");
            is_word.then(|| {
                rest.trim()
                    .trim_end_matches(" }")
                    .trim_matches('"')
                    .to_owned()
            })
        });
        lines.collect()
    }

    #[test]
    fn every_scenario_and_reason_that_ships_has_its_words() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
        let mut packs = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            packs += 1;
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let title = text
                .lines()
                .find_map(|line| line.strip_prefix("title: "))
                .unwrap();
            assert_eq!(
                scenario(name, Language::En),
                title.trim_matches(['"', '\''])
            );
            for said in written(&text, "text: ") {
                assert!(REASONS.iter().any(|word| word.en == said), "{name}: {said}");
            }
        }
        assert_eq!(packs, SCENARIOS.len());
        let mut acts = 0;
        for entry in fs::read_dir(folder.join("security")).unwrap() {
            for title in written(
                &fs::read_to_string(entry.unwrap().path()).unwrap(),
                "    title: ",
            ) {
                acts += 1;
                assert_ne!(act(&title, Language::Zh), title);
            }
        }
        assert_eq!(acts, ACTS.len());
        let said = about("card_testing.probe", Some("Listed as denied"), Language::Zh);
        assert_eq!(said.as_deref(), Some("试卡：在拒绝名单中"));
        assert_eq!(about("card_testing.probe", None, Language::En), None);
        assert_eq!(about("own_pack.probe", None, Language::Zh), None);
        assert_eq!(reason("Our own words", Language::Zh), "Our own words");
        assert_eq!(reason("Listed as denied", Language::Zh), "在拒绝名单中");
    }
}
