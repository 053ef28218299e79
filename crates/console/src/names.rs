//! Names of the shipped tables in both languages: queues and reasons of alerts, typologies and
//! checks of cases, what was done with either. A company's own tables name themselves.

use crate::word::{Language, Word};

/// What something of a table is called: ours in the language of whoever looks, others as they are.
pub(crate) fn named(table: &str, code: &str, title: &str, language: Language) -> String {
    let is_it = |name: &str| name.split_once('.') == Some((table, code));
    let found = NAMES.iter().find(|(name, _)| is_it(name));
    // A company may have given a code of ours another meaning.
    let found = found.filter(|(_, word)| title.is_empty() || word.en == title);
    match found {
        Some((_, word)) => word.of(language).to_owned(),
        None if title.is_empty() => code.to_owned(),
        None => title.to_owned(),
    }
}

const fn word(en: &'static str, zh: &'static str) -> Word {
    Word { en, zh }
}

/// Table and code of each name.
#[rustfmt::skip]
pub(crate) const NAMES: &[(&str, Word)] = &[
    ("queue.fraud", word("Fraud", "欺诈")),
    ("queue.fraud_senior", word("Fraud, passed up", "欺诈（已升级）")),
    ("queue.laundering", word("Money laundering", "洗钱")),
    ("queue.laundering_reporting", word("Money laundering, to be reported", "洗钱（待上报）")),
    ("trigger.fraud_held", word("Held for fraud", "因欺诈暂缓")),
    ("trigger.fraud_review", word("Fraud to be reviewed", "欺诈待复核")),
    ("trigger.fraud_declined_high", word("Declined with a high score", "高分拒绝")),
    ("trigger.laundering_stopped", word("Stopped for money laundering", "因洗钱拦截")),
    ("trigger.laundering_review", word("Money laundering to be reviewed", "洗钱待复核")),
    ("disposition.confirmed", word("Confirmed", "已确认属实")),
    ("disposition.suspicious_reported", word("Suspicious, reported", "可疑并已上报")),
    ("disposition.false_positive", word("False positive", "误报")),
    ("disposition.inconclusive", word("Inconclusive", "无法判定")),
    ("reason.customer_denies", word("The customer says that it was not them", "客户否认本人操作")),
    ("reason.scam_victim", word("The customer was talked into it", "客户受骗付款")),
    ("reason.account_taken_over", word("Somebody else uses the account", "账户被他人使用")),
    ("reason.mule_account", word("The account passes on the money of others", "账户为他人过渡资金")),
    ("reason.false_identity", word("The customer is not who they say they are", "客户身份虚假")),
    ("reason.no_economic_purpose", word("No economic purpose can be seen", "无合理经济目的")),
    ("reason.source_of_funds_unclear", word("Where the money comes from was not explained", "资金来源未能说明")),
    ("reason.customer_confirms", word("The customer says that it was them", "客户确认本人操作")),
    ("reason.known_behaviour", word("It is what this customer does", "符合客户惯常行为")),
    ("reason.rule_too_wide", word("The rule meets what it is not about", "规则过宽")),
    ("reason.customer_not_reached", word("The customer was not reached", "未能联系到客户")),
    ("reason.evidence_missing", word("What would tell is not to be had", "缺少判定依据")),
    ("typology.account_takeover", word("Account takeover", "账户盗用")),
    ("typology.authorised_scam", word("Scam in which the payer pays", "诱骗付款诈骗")),
    ("typology.card_fraud", word("Fraud with a card", "银行卡欺诈")),
    ("typology.structuring", word("Amounts kept below a line", "拆分交易")),
    ("typology.mule", word("Account of a money mule", "过渡账户")),
    ("typology.layering", word("Layering", "分层转移")),
    ("typology.sanctions", word("A party on a list", "名单命中主体")),
    ("check.sign_ins_compared", word("Sign-ins compared", "已比对登录记录")),
    ("check.devices_compared", word("Devices compared", "已比对设备")),
    ("check.customer_called_back", word("Customer called back", "已回拨客户")),
    ("check.credentials_reset", word("Credentials reset", "已重置登录凭证")),
    ("check.customer_heard", word("Customer heard", "已听取客户陈述")),
    ("check.payee_looked_at", word("Payee looked at", "已核查收款人")),
    ("check.receiving_bank_told", word("Receiving bank told", "已通知收款行")),
    ("check.recall_asked_for", word("Recall asked for", "已申请追回款项")),
    ("check.cardholder_asked", word("Cardholder asked", "已询问持卡人")),
    ("check.card_blocked", word("Card blocked", "已冻结银行卡")),
    ("check.chargeback_rights_looked_at", word("Chargeback rights looked at", "已核查拒付权利")),
    ("check.profile_compared", word("Profile compared", "已比对客户画像")),
    ("check.cash_traced", word("Cash traced", "已追查现金")),
    ("check.related_accounts_looked_at", word("Related accounts looked at", "已核查关联账户")),
    ("check.report_considered", word("Report considered", "已评估是否上报")),
    ("check.money_in_and_out_traced", word("Money in and out traced", "已追查资金流入流出")),
    ("check.identity_checked", word("Identity checked", "已核实身份")),
    ("check.chain_traced", word("Chain traced", "已追查资金链条")),
    ("check.source_of_funds_asked", word("Source of funds asked for", "已询问资金来源")),
    ("check.screening_repeated", word("Screening repeated", "已重新筛查")),
    ("check.identity_compared", word("Identity compared", "已比对身份")),
    ("check.funds_kept_back", word("Funds kept back", "已留存资金")),
    ("check.authority_told", word("Authority told", "已报告主管机关")),
    ("did.open", word("Opened it", "创建")),
    ("did.join", word("Another payment joined", "并入新支付")),
    ("did.into_case", word("Put into a case", "加入案件")),
    ("did.out_of_case", word("Taken out of a case", "移出案件")),
    ("did.claim", word("Claimed", "认领")),
    ("did.assign", word("Assigned", "分派")),
    ("did.release", word("Given back", "退回队列")),
    ("did.escalate", word("Passed up", "升级")),
    ("did.snooze", word("Rule snoozed", "规则静默")),
    ("did.note", word("Note", "备注")),
    ("did.close", word("Closed it", "结案")),
    ("did.reopen", word("Reopened", "重新打开")),
    ("did.check", word("Checklist", "检查清单")),
    ("did.add_alerts", word("Alerts put in", "加入告警")),
    ("did.remove_alerts", word("Alerts taken out", "移出告警")),
    ("did.add_payments", word("Payments put in", "加入支付")),
    ("did.remove_payments", word("Payments taken out", "移出支付")),
    ("did.take_up", word("Took another case up", "并入其他案件内容")),
    ("did.merge", word("Merged", "合并")),
    ("did.split", word("Split", "拆分")),
    ("decision.decide", word("Payment decided", "支付决策")),
    ("label.fraud", word("Labelled fraud", "标记为欺诈")),
    ("label.genuine", word("Labelled genuine", "标记为正常")),
    ("label.chargeback", word("Charged back", "发生拒付")),
    ("action.release", word("Asked to let it go", "要求放行支付")),
    ("action.cancel", word("Asked not to carry it out", "要求取消支付")),
    ("action.request_refund", word("Asked for the money back", "要求退款")),
    ("step.block", word("Refuse their payments", "拒绝其支付")),
    ("step.challenge", word("Ask for a further factor", "要求加验")),
    ("entity.card", word("Card", "银行卡")),
    ("entity.bin", word("Card range", "卡段")),
    ("entity.account", word("Account", "账户")),
    ("entity.customer", word("Customer", "客户")),
    ("entity.device", word("Device", "设备")),
    ("entity.ip", word("IP address", "IP 地址")),
    ("entity.merchant", word("Merchant", "商户")),
    ("entity.terminal", word("Terminal", "终端")),
    ("entity.payee", word("Payee", "收款人")),
    ("entity.email", word("Email address", "邮箱")),
    ("entity.phone", word("Phone number", "手机号")),
    ("entity.payment", word("Single payment", "单笔支付")),
    ("screening.aml_compliance", word("Compliance with rules on money laundering", "反洗钱合规")),
    ("screening.onboarding", word("Taking a customer on", "客户准入")),
    ("screening.fraud_prevention", word("Prevention of fraud", "反欺诈")),
    ("screening.person", word("Person", "个人")),
    ("screening.organisation", word("Organisation", "机构")),
    ("screening.vessel", word("Vessel", "船舶")),
    ("screening.aircraft", word("Aircraft", "航空器")),
    ("screening.sanctions", word("Sanctions", "制裁")),
    ("screening.pep", word("Politically exposed", "政治公众人物")),
    ("screening.adverse", word("Adverse media", "负面信息")),
    ("screening.own", word("Own list", "自有名单")),
    ("screening.party", word("What is known of the party", "主体资料")),
    ("screening.list", word("What the lists say", "名单内容")),
    ("component.base", word("Before anything is known", "初始值")),
    ("component.worst", word("Token that differs most", "差异最大的词")),
    ("component.order", word("Other order", "词序不同")),
    ("component.form", word("Other legal form", "法律形式不同")),
    ("component.number", word("Other numbers", "数字不同")),
    ("component.alone", word("Nothing nearly the same", "无相近词")),
    ("component.short", word("Short name", "名称过短")),
    ("component.sound", word("Sounds the same", "读音相同")),
    ("component.two_letters", word("Two letters or more differ", "两个以上字母不同")),
    ("component.three_letters", word("Three letters or more differ", "三个以上字母不同")),
    ("component.organisation_more", word("Part of a longer name", "仅为较长名称的一部分")),
    ("component.uncovered", word("Rare part that did not meet", "未匹配的罕见部分")),
    ("component.weak_name", word("Weak name of the list", "名单弱别名")),
    ("component.birth", word("Birth date", "出生日期比对")),
    ("component.country", word("Country", "国家或地区比对")),
    ("component.identifier", word("Same identifier", "证件号码相同")),
    ("purpose.fraud_prevention", word("Prevention of fraud", "反欺诈")),
    ("purpose.aml_compliance", word("Compliance with rules on money laundering", "反洗钱合规")),
    ("purpose.onboarding", word("Taking a customer on", "客户准入")),
    ("purpose.payment_processing", word("Carrying out payments", "支付处理")),
    ("purpose.settlement", word("Settlement", "清算")),
    ("purpose.customer_service", word("Customer service", "客户服务")),
    ("purpose.dispute_handling", word("Disputes", "争议处理")),
    ("purpose.subject_request", word("A request of the person", "个人权利请求")),
    ("purpose.analytics", word("Analytics", "统计分析")),
    ("purpose.marketing", word("Marketing", "营销")),
    ("part.day", word("Day", "日期")),
    ("part.rule", word("Rule", "规则")),
    ("part.scenario", word("Scenario", "场景")),
    ("part.model", word("Model", "模型名")),
    ("part.engine", word("Engine", "引擎")),
    ("part.channel", word("Channel", "渠道")),
    ("model.live", word("Live", "生效中")),
    ("model.earlier", word("Earlier", "此前生效")),
    ("model.shadow", word("Shadow", "影子运行")),
    ("model.recall", word("Frauds found", "欺诈识别率")),
    ("model.precision", word("Of those found, frauds", "识别准确率")),
    ("model.value", word("Amount of frauds found", "欺诈金额识别率")),
    ("model.ap", word("Average precision", "平均精确率")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_a_company_keep_their_own_names() {
        let zh = Language::Zh;
        assert_eq!(named("queue", "fraud", "", zh), "欺诈");
        assert_eq!(named("queue", "fraud", "Fraud", zh), "欺诈");
        assert_eq!(named("queue", "fraud", "Scams", zh), "Scams");
        assert_eq!(named("queue", "gambling", "Gambling", zh), "Gambling");
        assert_eq!(named("check", "called_twice", "", zh), "called_twice");
    }
}
