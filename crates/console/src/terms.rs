//! Closed vocabularies of the API in both languages: outcomes, states, kinds.

use crate::{
    icon::Icon,
    word::{Language, Word, words},
};
use paywarden_domain::Outcome;

/// How something is coloured; the word beside it says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Info,
    Care,
    Wait,
    Bad,
}

impl Tone {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Info => "info",
            Self::Care => "care",
            Self::Wait => "wait",
            Self::Bad => "bad",
        }
    }
}

words! {
    APPROVE = "Approve", "放行";
    APPROVE_WITH_WARNING = "Approve with warning", "提示后放行";
    CHALLENGE = "Challenge", "加验";
    REVIEW = "Review", "人工复核";
    HOLD = "Hold", "暂缓";
    DECLINE = "Decline", "拒绝";
    OPEN = "Open", "待处理";
    APPROVED = "Approved", "已批准";
    USED = "Carried out", "已执行";
    DENIED = "Denied", "已否决";
    WITHDRAWN = "Withdrawn", "已撤回";
    EXPIRED = "Expired", "已过期";
    ACKNOWLEDGED = "Acknowledged", "已确认";
    CLOSED = "Closed", "已关闭";
    LOW = "Low", "低";
    MEDIUM = "Medium", "中";
    HIGH = "High", "高";
    CRITICAL = "Critical", "严重";
    DRAFT = "Draft", "草稿";
    CHECKED = "Checked", "已检查";
    BACK_TESTED = "Back-tested", "已回测";
    SHADOW = "Shadow", "影子运行";
    CANARY = "Canary", "灰度";
    LIVE = "Live", "生效中";
    OFF = "Off", "停用";
    ARCHIVED = "Archived", "已归档";
    INVITED = "Invited", "已邀请";
    ACTIVE = "Active", "正常";
    LOCKED = "Locked", "已锁定";
    DISABLED = "Disabled", "已停用";
    MERGED = "Merged", "合并";
    FRAUD = "Fraud", "欺诈";
    LAUNDERING = "Money laundering", "洗钱";
    TRUE = "True", "成立";
    FALSE = "False", "不成立";
    UNKNOWN = "Unknown", "未知";
    PAYMENT_CARD = "Card payment", "银行卡支付";
    PAYMENT_TRANSFER = "Transfer", "转账";
    PAYMENT_WALLET = "Wallet payment", "钱包支付";
    PAYOUT = "Payout", "出款";
    TOPUP = "Top-up", "充值";
    REFUND = "Refund", "退款";
    LOGIN = "Sign-in", "登录";
    SIGNUP = "Sign-up", "注册";
    CARD_ADDED = "Card added", "绑卡";
    BENEFICIARY_ADDED = "Payee added", "新增收款人";
    PASSWORD_CHANGED = "Password changed", "修改密码";
    CONTACT_CHANGED = "Contact changed", "修改联系方式";
    DEVICE_BOUND = "Device bound", "绑定设备";
    RULE_RELEASE = "Release of rules", "规则发布";
    MODEL_RELEASE = "Release of models", "模型发布";
    LIST_CHANGE = "Change of a list", "名单变更";
    KEY_CHANGE = "Change of a key", "密钥变更";
    ROLE_GRANT = "Grant of roles", "角色授予";
    EXPORT = "Export", "数据导出";
    POLICY_CHANGE = "Approval policy", "审批策略变更";
    PRIVACY_POLICY_CHANGE = "Privacy policy", "隐私策略变更";
    REVEAL = "Reveal of values", "查看明文";
    SCREENING_CHANGE = "Screening list", "筛查名单变更";
    SCREENING_CLEARANCE = "Clearance of a party", "筛查排除";
    EPOCH_END = "End of key epochs", "密钥周期终止";
    CASE_CLOSING = "Closing of a case", "案件结案";
    REPORT_FILING = "Filing of a report", "报送监管报告";
    RATING_OVERRIDE = "Rating of a customer", "客户风险等级调整";
    PROHIBITED = "Prohibited", "禁止准入";
    WEBHOOK_CHANGE = "Change of a webhook", "事件通知变更";
    FILED = "Filed", "已报送";
    REJECTED = "Rejected", "被退回";
    ENABLED = "Enabled", "已启用";
    GONE = "Gone", "接收方已撤销";
    WAITING = "Waiting", "等待投递";
    DELIVERED = "Delivered", "已送达";
    GIVEN_UP = "Given up", "已放弃";
    CONSENT_GIVEN = "Agreed", "同意";
    CONSENT_WITHDRAWN = "Withdrew consent", "撤回同意";
    OBJECTED = "Objected", "提出反对";
    OBJECTION_LIFTED = "Took the objection back", "撤销反对";
    RESTRICTED = "Handling restricted", "限制处理";
    RESTRICTION_LIFTED = "Restriction lifted", "解除限制";
    HELD = "Hold placed", "设置留存义务";
    HOLD_LIFTED = "Hold lifted", "解除留存义务";
    RELATION_ENDED = "Relationship over", "业务关系结束";
    RELATION_RESUMED = "Relationship goes on", "业务关系恢复";
    ACCESS = "To be told what is kept", "查阅";
    PORTABILITY = "To be given it by machine", "可携带";
    CORRECTION = "To have it corrected", "更正";
    ERASURE = "To have it erased", "删除";
    RESTRICTION = "To have its handling restricted", "请求限制处理";
    OBJECTION = "To object to it", "拒绝处理";
    EXPLANATION = "To have a decision explained", "解释自动化决策";
    RUNNING = "Running", "运行中";
    PAUSED = "Paused", "已暂停";
    FINISHED = "Finished", "已完成";
    STOPPED = "Ended before", "提前终止";
    PASSKEY = "Passkey", "通行密钥";
    PASSWORD_AND_CODE = "Password and code", "密码与动态码";
    RECOVERY_CODE = "Recovery code", "恢复码";
    INVITATION = "Invitation", "邀请";
    PROVIDER = "Provider", "身份提供方";
    PROVIDER_AND_CODE = "Provider and code", "身份提供方与动态码";
    PROVIDER_ALONE = "Provider alone", "仅身份提供方";
    ANALYST = "Analyst", "分析员";
    SENIOR_ANALYST = "Senior analyst", "高级分析员";
    AML_OFFICER = "AML officer", "反洗钱专员";
    RULE_AUTHOR = "Rule author", "规则编写员";
    RULE_APPROVER = "Rule approver", "规则审批员";
    PRIVACY_OFFICER = "Privacy officer", "隐私专员";
    KEY_CUSTODIAN = "Key custodian", "密钥管理员";
    AUDITOR = "Auditor", "审计员";
    SYSTEM_ADMINISTRATOR = "System administrator", "系统管理员";
    SECURITY_ADMINISTRATOR = "Security administrator", "安全管理员";
    AUDIT_ADMINISTRATOR = "Audit administrator", "审计管理员";
    CLEAR = "Nothing found", "未命中";
    HIT = "Entry found", "命中";
    LATE = "Not in time", "未及时完成";
    VOID_MAKER = "whoever asked does not vote", "申请人不能投票";
    VOID_PAYLOAD = "the command has changed", "内容已变更";
    VOID_RIGHT = "no longer has the right", "已无权限";
    VOID_CONFLICT = "has a conflicting role", "角色冲突";
    VOID_PERSON = "a person has to vote", "须由人员投票";
    VOID_DELEGATION = "the right is no longer lent", "授权已失效";
    VOID_MUTUAL = "approved each other too often", "互批次数过多";
    VOID_REPEATED = "has voted already", "已投过票";
}

/// Names of the API with their words and tones, one line each.
#[rustfmt::skip]
const TERMS: &[(&str, Word, Tone)] = &[
    ("open", OPEN, Tone::Care), ("approved", APPROVED, Tone::Good), ("used", USED, Tone::Plain),
    ("denied", DENIED, Tone::Bad), ("withdrawn", WITHDRAWN, Tone::Plain),
    ("expired", EXPIRED, Tone::Plain), ("filed", FILED, Tone::Info), ("rejected", REJECTED, Tone::Bad),
    ("acknowledged", ACKNOWLEDGED, Tone::Info),
    ("closed", CLOSED, Tone::Plain), ("low", LOW, Tone::Plain), ("medium", MEDIUM, Tone::Care),
    ("high", HIGH, Tone::Wait), ("critical", CRITICAL, Tone::Bad), ("draft", DRAFT, Tone::Plain),
    ("checked", CHECKED, Tone::Plain), ("back_tested", BACK_TESTED, Tone::Info),
    ("shadow", SHADOW, Tone::Info), ("canary", CANARY, Tone::Care), ("live", LIVE, Tone::Good),
    ("off", OFF, Tone::Plain), ("archived", ARCHIVED, Tone::Plain),
    ("invited", INVITED, Tone::Info), ("active", ACTIVE, Tone::Good), ("locked", LOCKED, Tone::Wait),
    ("disabled", DISABLED, Tone::Plain), ("merged", MERGED, Tone::Plain), ("fraud", FRAUD, Tone::Plain),
    ("laundering", LAUNDERING, Tone::Plain), ("true", TRUE, Tone::Good), ("false", FALSE, Tone::Plain),
    ("unknown", UNKNOWN, Tone::Care),
    ("payment.card", PAYMENT_CARD, Tone::Plain), ("payment.transfer", PAYMENT_TRANSFER, Tone::Plain),
    ("payment.wallet", PAYMENT_WALLET, Tone::Plain), ("payout", PAYOUT, Tone::Plain),
    ("topup", TOPUP, Tone::Plain), ("refund", REFUND, Tone::Plain), ("login", LOGIN, Tone::Plain),
    ("signup", SIGNUP, Tone::Plain), ("card.added", CARD_ADDED, Tone::Plain),
    ("beneficiary.added", BENEFICIARY_ADDED, Tone::Plain),
    ("password.changed", PASSWORD_CHANGED, Tone::Plain),
    ("contact.changed", CONTACT_CHANGED, Tone::Plain), ("device.bound", DEVICE_BOUND, Tone::Plain),
    ("rule_release", RULE_RELEASE, Tone::Plain), ("model_release", MODEL_RELEASE, Tone::Plain), ("list_change", LIST_CHANGE, Tone::Plain),
    ("key_change", KEY_CHANGE, Tone::Plain), ("role_grant", ROLE_GRANT, Tone::Plain),
    ("export", EXPORT, Tone::Plain), ("policy_change", POLICY_CHANGE, Tone::Plain),
    ("privacy_policy_change", PRIVACY_POLICY_CHANGE, Tone::Plain), ("reveal", REVEAL, Tone::Plain),
    ("screening_change", SCREENING_CHANGE, Tone::Plain),
    ("screening_clearance", SCREENING_CLEARANCE, Tone::Plain), ("epoch_end", EPOCH_END, Tone::Plain),
    ("case_closing", CASE_CLOSING, Tone::Plain),
    ("report_filing", REPORT_FILING, Tone::Plain),
    ("rating_override", RATING_OVERRIDE, Tone::Plain), ("prohibited", PROHIBITED, Tone::Bad),
    ("consent_given", CONSENT_GIVEN, Tone::Good),
    ("consent_withdrawn", CONSENT_WITHDRAWN, Tone::Care), ("objected", OBJECTED, Tone::Care),
    ("objection_lifted", OBJECTION_LIFTED, Tone::Plain), ("restricted", RESTRICTED, Tone::Care),
    ("restriction_lifted", RESTRICTION_LIFTED, Tone::Plain), ("held", HELD, Tone::Care),
    ("hold_lifted", HOLD_LIFTED, Tone::Plain), ("relation_ended", RELATION_ENDED, Tone::Plain),
    ("relation_resumed", RELATION_RESUMED, Tone::Plain), ("access", ACCESS, Tone::Plain),
    ("portability", PORTABILITY, Tone::Plain), ("correction", CORRECTION, Tone::Plain),
    ("erasure", ERASURE, Tone::Plain), ("restriction", RESTRICTION, Tone::Plain),
    ("objection", OBJECTION, Tone::Plain), ("explanation", EXPLANATION, Tone::Plain),
    ("running", RUNNING, Tone::Info), ("paused", PAUSED, Tone::Care), ("done", FINISHED, Tone::Good),
    ("stopped", STOPPED, Tone::Plain),
    ("webhook_change", WEBHOOK_CHANGE, Tone::Plain), ("enabled", ENABLED, Tone::Good),
    ("gone", GONE, Tone::Bad), ("waiting", WAITING, Tone::Care),
    ("delivered", DELIVERED, Tone::Good), ("given_up", GIVEN_UP, Tone::Bad),
    ("passkey", PASSKEY, Tone::Plain), ("password_and_code", PASSWORD_AND_CODE, Tone::Plain),
    ("recovery_code", RECOVERY_CODE, Tone::Plain), ("invitation", INVITATION, Tone::Plain),
    ("provider", PROVIDER, Tone::Plain), ("provider_and_code", PROVIDER_AND_CODE, Tone::Plain),
    ("provider_alone", PROVIDER_ALONE, Tone::Plain), ("analyst", ANALYST, Tone::Plain),
    ("senior_analyst", SENIOR_ANALYST, Tone::Plain), ("aml_officer", AML_OFFICER, Tone::Plain),
    ("rule_author", RULE_AUTHOR, Tone::Plain), ("rule_approver", RULE_APPROVER, Tone::Plain),
    ("privacy_officer", PRIVACY_OFFICER, Tone::Plain), ("key_custodian", KEY_CUSTODIAN, Tone::Plain),
    ("auditor", AUDITOR, Tone::Plain), ("system_administrator", SYSTEM_ADMINISTRATOR, Tone::Plain),
    ("security_administrator", SECURITY_ADMINISTRATOR, Tone::Plain),
    ("audit_administrator", AUDIT_ADMINISTRATOR, Tone::Plain),
    ("clear", CLEAR, Tone::Good), ("hit", HIT, Tone::Bad), ("late", LATE, Tone::Care),
    ("maker", VOID_MAKER, Tone::Bad), ("payload", VOID_PAYLOAD, Tone::Bad),
    ("right", VOID_RIGHT, Tone::Bad), ("conflict", VOID_CONFLICT, Tone::Bad),
    ("person", VOID_PERSON, Tone::Bad), ("delegation", VOID_DELEGATION, Tone::Bad),
    ("mutual", VOID_MUTUAL, Tone::Bad), ("repeated", VOID_REPEATED, Tone::Bad),
];

/// What a name of the API is called; the name itself where it is not one of ours.
pub(crate) fn term(name: &str, language: Language) -> String {
    known(name).map_or_else(|| name.to_owned(), |word| word.of(language).to_owned())
}

/// The word of a name of the API, in whatever letters.
pub(crate) fn known(name: &str) -> Option<Word> {
    let found = TERMS
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(name));
    found.map(|(_, word, _)| *word)
}

/// How it is coloured.
pub(crate) fn tone(name: &str) -> Tone {
    let found = TERMS.iter().find(|(known, ..)| *known == name);
    found.map_or(Tone::Plain, |(_, _, tone)| *tone)
}

/// How a score is coloured.
pub(crate) fn score(score: u16) -> Tone {
    match score {
        0..300 => Tone::Good,
        300..600 => Tone::Care,
        _ => Tone::Bad,
    }
}

/// Word, tone and icon of an outcome.
pub(crate) fn outcome(outcome: Outcome) -> (Word, Tone, Icon) {
    match outcome {
        Outcome::Approve => (APPROVE, Tone::Good, Icon::YES),
        Outcome::ApproveWithWarning => (APPROVE_WITH_WARNING, Tone::Info, Icon::WARNING),
        Outcome::Challenge => (CHALLENGE, Tone::Info, Icon::QUESTION),
        Outcome::Review => (REVIEW, Tone::Care, Icon::EYE),
        Outcome::Hold => (HOLD, Tone::Wait, Icon::PAUSE),
        Outcome::Decline => (DECLINE, Tone::Bad, Icon::NO),
    }
}
