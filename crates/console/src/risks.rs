//! What shipped rules say, in Chinese: scenarios and reasons. What a company writes itself stays in the
//! language of whoever wrote it. Titles of rules stand with them, in both languages, in the packs.

use crate::word::{Language, Word};
use paywarden_server::pages::RuleTitle;

/// What a scenario is called; ours in the language of whoever looks, others as they are.
pub(crate) fn scenario(name: &str, language: Language) -> &str {
    let found = SCENARIOS.iter().find(|(known, _)| *known == name);
    found.map_or(name, |(_, word)| word.of(language))
}

/// What a pack is called whose title says so: ours in the language of whoever looks.
pub(crate) fn pack<'t>(name: &str, title: &'t str, language: Language) -> &'t str {
    let found = SCENARIOS.iter().find(|(known, _)| *known == name);
    let ours = found.filter(|(_, word)| word.en == title);
    ours.map_or(title, |(_, word)| word.of(language))
}

/// What a reason says.
pub(crate) fn reason(text: &str, language: Language) -> &str {
    let found = REASONS.iter().chain(ACTS).find(|word| word.en == text);
    found.map_or(text, |word| word.of(language))
}

/// What a rule looks for, in the language of whoever looks where its pack says it. One that has been
/// called otherwise since it fired is called as it was then.
pub(crate) fn title(
    known: Option<RuleTitle>,
    kept: Option<&str>,
    language: Language,
) -> Option<String> {
    let same = known.filter(|known| kept.is_none_or(|kept| known.title == kept));
    let title = same.map(|same| match language {
        Language::En => same.title,
        Language::Zh => same.title_zh.unwrap_or(same.title),
    });
    title.or_else(|| kept.map(str::to_owned))
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

/// What reasons of rules about acts say.
#[rustfmt::skip]
pub(crate) const ACTS: &[Word] = &[
    word("The network has not been seen with this key for ninety days.", "九十天内该密钥未在此网络出现。"),
    word("The signature was right, the place was not: somebody else may have the key.", "签名正确而来源不符，密钥可能已落入他人之手。"),
    word("Somebody names a key without having it, or a program signs wrongly.", "有人冒用该密钥，或程序签名有误。"),
    word("A program does not try what it may not do.", "正常程序不会尝试无权操作。"),
    word("A key that does not usually read much has read very much.", "平时读取不多的密钥读取了大量数据。"),
    word("A program that never did takes leaves of the trail away.", "从未读取审计轨迹的程序取走了叶节点。"),
    word("The time that the law gives for an answer is over, and the request has none.", "法定答复期限已过，请求仍未答复。"),
    word("More people were looked into within an hour than one case has.", "一小时内查阅的个人多于一个案件所涉。"),
    word("Nobody handles so many people on one day with their values open.", "无人会在一天内处理如此多个人的明文。"),
    word("Somebody who has seen many persons today tries again and again to see more at once.", "当日已查阅大量个人，仍反复尝试一次查看更多。"),
    word("Values of a customer were opened when nobody is there to ask.", "在无人可询问的时间查看了客户明文。"),
    word("The version before stays at work: the log says why, `GET /v1/screening-lists` whether a version waits.", "仍使用上一版本：日志说明原因，`GET /v1/screening-lists` 说明是否有版本待处理。"),
    word("Each let the other's request pass: four eyes may have been two.", "双方互相通过对方的申请，四眼原则可能失效。"),
    word("Nobody reads five requests within a minute.", "无人能在一分钟内看完五份申请。"),
    word("The glass was broken: look at why while it is fresh.", "已启用紧急通道，请尽快查明原因。"),
    word("A command took effect without votes, and nobody has looked at it within the time that the policy gives.", "有操作未经投票即生效，且在规定时间内无人复核。"),
    word("Somebody tries what their roles do not let them do.", "有人尝试其角色不允许的操作。"),
    word("Identifiers are being guessed.", "有人在猜测标识。"),
    word("Between the two a payment may have passed that the list would have stopped.", "移出与加回之间，可能有本应拦截的支付已放行。"),
    word("Rights were changed in a row.", "权限被连续变更。"),
    word("Alerts were closed faster than they can be read.", "告警关闭速度快于阅读速度。"),
    word("Neither the office nor this person works at that hour.", "该时段既非办公时间，也非此人的工作时间。"),
    word("Many records were read while the office was closed.", "非办公时间读取了大量数据。"),
    word("Somebody was invited, enabled or given roles while the office was closed.", "非办公时间有人被邀请、启用或授予角色。"),
    word("A key was made, bound or ended while the office was closed, without an approval.", "非办公时间未经审批创建、绑定或吊销了密钥。"),
    word("More records were read within ten minutes than anybody reads one by one.", "十分钟内读取的数据多于逐条阅读所能。"),
    word("Slowly, but all day long: more records than a day of work takes.", "读取缓慢但终日不断，超出一天工作所需。"),
    word("Records about many unrelated people were opened one after the other.", "接连打开了许多互不相关个人的数据。"),
    word("More different people were looked up on one day than cases come in.", "一天内查阅的个人多于新增案件。"),
    word("The day has ten times the reads that the last month had on average.", "当日读取量为上月日均的十倍。"),
    word("Keys, staff, lists or the trail were looked at by somebody who never does.", "从不查看密钥、人员、名单或审计轨迹的人查看了这些内容。"),
    word("Somebody opens what they have never opened, when nobody is there to ask.", "有人在无人可询问时打开了从未打开过的内容。"),
    word("Records left the system by the hand of somebody who has not exported in ninety days.", "九十天内未导出过的人导出了数据。"),
    word("A sign-in from a network that this person has never used is followed by an export.", "在从未用过的网络登录后随即导出。"),
    word("An account that has read nothing for a month reads again.", "一个月未读取的账户再次读取。"),
    word("Somebody tries what the system can do, one thing after the other.", "有人逐一试探系统功能。"),
    word("Factors of one account were wrong again and again.", "同一账户的验证要素反复出错。"),
    word("Sign-ins to many accounts of the company were refused within an hour.", "一小时内公司多个账户登录被拒。"),
    word("The network has not been seen with this person for ninety days.", "九十天内此人未在该网络出现。"),
    word("Nobody is in three places at once.", "无人能同时身处三地。"),
    word("A cookie may have been taken away.", "会话标识可能已被窃取。"),
    word("Whoever has the session does not have the factors of its owner.", "持有会话的人没有其本人的验证要素。"),
    word("A session tries sensitive commands and does not prove a factor when asked to.", "会话尝试敏感操作，要求验证时却未验证。"),
    word("What the store holds does not continue what was signed before: run `paywarden verify` at once.", "存储内容与此前签名不连续，请立即运行 `paywarden verify`。"),
    word("The patrol found something that is not what was written: run `paywarden verify` at once.", "巡检发现内容与写入时不一致，请立即运行 `paywarden verify`。"),
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
                    .trim_matches(['"', '\''])
                    .replace("''", "'")
            })
        });
        lines.collect()
    }

    #[test]
    fn a_rule_is_called_by_the_title_that_it_had() {
        let rule = |title_zh: Option<&str>| {
            Some(RuleTitle {
                title: "Probe".to_owned(),
                title_zh: title_zh.map(str::to_owned),
            })
        };
        let zh = |known, kept| title(known, kept, Language::Zh);
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(zh(rule(Some("试探")), None), said("试探"));
        assert_eq!(zh(rule(Some("试探")), Some("Probe")), said("试探"));
        assert_eq!(zh(rule(Some("试探")), Some("Older")), said("Older"));
        assert_eq!(zh(rule(None), Some("Probe")), said("Probe"));
        assert_eq!(zh(None, Some("Gone")), said("Gone"));
        assert_eq!(zh(None, None), None);
        let en = title(rule(Some("试探")), None, Language::En);
        assert_eq!(en, said("Probe"));
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
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            for said in written(&text, "text: ") {
                acts += 1;
                assert_ne!(reason(&said, Language::Zh), said);
            }
        }
        assert_eq!(acts, ACTS.len());
        assert_eq!(reason("Our own words", Language::Zh), "Our own words");
        assert_eq!(reason("Listed as denied", Language::Zh), "在拒绝名单中");
    }
}
