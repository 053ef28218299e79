//! What the checker says, in Chinese: one line for each of its sentences. What it names stays as it is.

use crate::word::{Language, Word};
use serde_json::Value;

const fn word(en: &'static str, zh: &'static str) -> Word {
    Word { en, zh }
}

/// A sentence of the checker in a language; as it is where the table does not know it.
pub(super) fn said(sentence: &str, language: Language) -> String {
    if language == Language::En {
        return sentence.to_owned();
    }
    let found = SENTENCES.iter().find_map(|word| {
        let values = values(word.en, sentence)?;
        let values: Vec<String> = values.iter().map(|value| kind(value)).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        Some(word.with(language, &values))
    });
    found.unwrap_or_else(|| sentence.to_owned())
}

/// What a value is called where it is a word of the checker, such as a type.
fn kind(value: &str) -> String {
    let known = KINDS.iter().find(|word| word.en == value);
    known.map_or(value, |word| word.zh).to_owned()
}

/// The values in the places of `{}`, if the sentence is made by the pattern.
fn values<'s>(pattern: &str, sentence: &'s str) -> Option<Vec<&'s str>> {
    let mut parts = pattern.split("{}");
    let mut rest = sentence.strip_prefix(parts.next()?)?;
    let mut values = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let at = match parts.peek() {
            None => rest
                .len()
                .checked_sub(part.len())
                .filter(|_| rest.ends_with(part))?,
            Some(_) => rest.find(part)?,
        };
        let (value, after) = rest.split_at_checked(at)?;
        values.push(value);
        rest = after.strip_prefix(part)?;
    }
    rest.is_empty().then_some(values)
}

/// The table for the module: pairs of a pattern and what it is in Chinese; none on English pages.
pub(super) fn table(language: Language) -> Value {
    let pairs = |words: &[Word]| -> Value {
        let pair = |word: &Word| Value::from(vec![word.en, word.zh]);
        words.iter().map(pair).collect()
    };
    match language {
        Language::En => Value::Null,
        Language::Zh => serde_json::json!({ "sentences": pairs(SENTENCES), "kinds": pairs(KINDS) }),
    }
}

/// Words of the checker that stand in sentences.
#[rustfmt::skip]
const KINDS: &[Word] = &[
    word("a condition", "条件"), word("a number", "数值"), word("a string", "文本"), word("a value", "值"),
    word("a list or a map", "列表或映射"), word("a string or an int", "文本或整数"),
    word("a string, a list or a map", "文本、列表或映射"), word("a number or a string", "数值或文本"),
    word("a number, a string or a timestamp", "数值、文本或时间戳"), word("a name after `.`", "`.` 后的名称"),
    word("an operator", "运算符"), word("numbers of one type", "同一类型的数值"), word("a whole number", "整数"),
    word("the end", "结尾"), word("true or false", "true 或 false"), word("true", "真"), word("false", "假"),
    word("compared with", "比较"), word("looked for among", "在其中查找"), word("chosen beside", "并列选取"),
    word("money in the payment's currency", "以支付币种计的金额"), word("names and their values", "名称及其取值"),
    word("a time span, like `2d 3h`", "时间跨度（如 `2d 3h`）"),
    word("a time, like `2026-01-31T08:00:00Z`", "时间（如 `2026-01-31T08:00:00Z`）"),
    word("an amount with a known currency, like `3.00 USD`", "已知币种的金额（如 `3.00 USD`）"),
    word("a value that can be written", "可以写出的值"), word("a double", "浮点数"),
    word("it is false", "条件为假"), word("it is unknown", "结果未知"), word("it fires", "规则已触发"),
    word("fire", "触发"), word("stay silent", "不触发"),
];

/// Every sentence of the checker, the longer ones before those that would take them for theirs.
#[rustfmt::skip]
const SENTENCES: &[Word] = &[
    word("`events` says what the rules are about", "`events` 说明规则所针对的事件"),
    word("`has` asks for a field, an attribute, a window or a key of a map", "`has` 只能用于字段、属性、时间窗或映射的键"),
    word("`hold_minutes` needs action `hold`", "`hold_minutes` 须与动作 `hold` 同时使用"),
    word("`in` needs a list, a map or `lists.name` on its right", "`in` 右侧须为列表、映射或 `lists.名称`"),
    word("`money` takes an amount and a currency", "`money` 的参数为金额和币种"),
    word("`money` takes two texts", "`money` 的两个参数均为文本"),
    word("`distinct` counts an entity, `country` or `mcc`", "`distinct` 统计实体、`country` 或 `mcc`"),
    word("`points` takes a condition and one or two whole numbers", "`points` 的参数为条件和一至两个整数"),
    word("`{}` goes through at most {} elements", "`{}` 最多遍历 {} 个元素"),
    word("`{}` is defined by itself", "`{}` 的定义引用了自身"),
    word("`{}` is defined twice: the second time in pack `{}`", "`{}` 重复定义：第二次在规则包 `{}` 中"),
    word("`{}` is not an operand", "`{}` 不是可用的操作数"),
    word("`{}` is not an operator", "`{}` 不是运算符"),
    word("`{}` is not a number", "`{}` 不是数值"),
    word("`{}` is not snake_case", "`{}` 不符合 snake_case 命名"),
    word("`{}` contradicts what stands before it", "`{}` 与前文矛盾"),
    word("`{}` is never \"{}\"", "`{}` 的取值不可能是“{}”"),
    word("`{}` cannot be \"{}\"", "`{}` 的取值不能是“{}”"),
    word("`{}` does not go between {} and {}", "`{}` 不能用于 {} 与 {} 之间"),
    word("`{}` means nothing here", "此处不能使用 `{}`"),
    word("`{}` belongs to an entity", "`{}` 须跟在实体之后"),
    word("\"{}\" does not fit {}", "“{}”与 {} 不匹配"),
    word("a characteristic gives or takes at most {} points", "每个评分项最多增减 {} 分"),
    word("a constant is on a list or not, whatever happens", "常量是否在名单中与事件无关"),
    word("a definition is named in snake_case", "定义须以 snake_case 命名"),
    word("a filter cannot ask this", "时间窗过滤条件不支持此写法"),
    word("a filtered list cannot be compared as a whole", "过滤后的列表不能整体比较"),
    word("a key is a whole number, a text, `true` or `false`", "键须为整数、文本、`true` 或 `false`"),
    word("a map has at most {} entries", "映射最多 {} 项"),
    word("a pack has at most {} bytes", "规则包最多 {} 字节"),
    word("a pack has at most {} definitions", "规则包最多 {} 个定义"),
    word("a title in Chinese is one line of 1 to {} characters", "中文标题须为一行，1 至 {} 个字符"),
    word("`name_zh` stands behind the `title_zh` of the table, which has none", "`name_zh` 接在决策表的 `title_zh` 之后，而该表没有"),
    word("a pack has at most {} rules", "规则包最多 {} 条规则"),
    word("a rate is a positive decimal such as 1.0845 or a ratio such as 1/7.25", "汇率须为正的小数（如 1.0845）或比值（如 1/7.25）"),
    word("a regular expression has at most 512 bytes", "正则表达式最多 512 字节"),
    word("a regular expression is a text literal", "正则表达式须为文本字面量"),
    word("a row lacks its `id`", "有一行缺少 `id`"),
    word("a rule set has at most {} rules", "规则集最多 {} 条规则"),
    word("a score lies between 0 and 1000", "分值须在 0 至 1000 之间"),
    word("a scorecard has at most {} characteristics", "评分卡最多 {} 个评分项"),
    word("a second pack `{}`", "规则包 `{}` 重复"),
    word("a table has at most 16 inputs", "决策表最多 16 个输入"),
    word("a time span is written `duration(\"{}\")`", "时间跨度写作 `duration(\"{}\")`"),
    word("a time zone is \"UTC\" or a fixed offset", "时区须为“UTC”或固定偏移量"),
    word("a window is a count and a unit s, m, h or d, like \"10m\" or \"7d..35d\"", "时间窗由数字和单位 s、m、h 或 d 组成，如“10m”或“7d..35d”"),
    word("a window reaches back 400 days at most", "时间窗最多回溯 400 天"),
    word("a window reaches back: write the nearer edge first and the farther one second", "时间窗向过去回溯：先写较近的边界，再写较远的边界"),
    word("action `hold` needs `hold_minutes` above 0", "动作 `hold` 须设置大于 0 的 `hold_minutes`"),
    word("acts warn no payer", "内部操作规则不向付款人发出警示"),
    word("add a rate or write the amount in {}", "请补充汇率，或以 {} 写出金额"),
    word("an event of a list has no `{}`", "列表中的事件没有 `{}`"),
    word("an expression has at most {} bytes", "表达式最多 {} 字节"),
    word("an expression has at most {} nodes", "表达式最多 {} 个节点"),
    word("an expression nests at most {} deep", "表达式最多嵌套 {} 层"),
    word("an input is named in snake_case, and not like another key of a row", "输入须以 snake_case 命名，且不得与行内其他键重名"),
    word("ask `has(field)` whether a field is present", "用 `has(字段)` 判断字段是否存在"),
    word("ask `{}`", "请写作 `{}`"),
    word("bad window \"{}\"", "时间窗“{}”无效"),
    word("compare a field of the event, or leave it out", "请与事件字段比较，或删除此条件"),
    word("each characteristic has an `id` of its own in snake_case", "每个评分项须有 snake_case 命名的唯一 `id`"),
    word("edit the pack as text", "请以文本方式编辑规则包"),
    word("end it with the quote it began with, on the same line", "请在同一行以相同的引号结束"),
    word("entities: {}", "可用实体：{}"),
    word("example \"{}\": there is no row `{}`{}", "样例“{}”：没有行 `{}`{}"),
    word("example \"{}\": the rule does not read `{}`", "样例“{}”：规则未读取 `{}`"),
    word("example \"{}\": the rule should {}, but {}", "样例“{}”：规则应{}，但{}"),
    word("example \"{}\": `{}` cannot be \"{}\"", "样例“{}”：`{}` 的取值不能是“{}”"),
    word("example \"{}\": {}", "样例“{}”：{}"),
    word("expected {}, found {}", "此处应为{}，实际为{}"),
    word("expected {}", "此处应为{}"),
    word("fields there: {}", "可用字段：{}"),
    word("give a whole number", "请写整数"),
    word("give the narrower rule points of its own or the stricter action, or leave it out", "请为范围较窄的规则单独设置分值或更严格的动作，或删除该规则"),
    word("give {}", "请写{}"),
    word("go through fewer elements, or nest fewer macros", "请减少遍历的元素或宏的嵌套"),
    word("has exactly one `?`, where the cell goes", "须有且仅有一个 `?` 代表单元格"),
    word("identifiers and codes are snake_case, at most 64 characters", "标识和代码须为 snake_case，最多 64 个字符"),
    word("it is a function, like `{}`", "这是函数，写法如 `{}`"),
    word("it is a method: `{}`", "这是方法：`{}`"),
    word("it reads: {}", "规则读取的内容：{}"),
    word("join the two, or say what sets them apart", "请合并两条规则，或写明二者的区别"),
    word("join with && any of: {}", "可用 && 连接以下条件：{}"),
    word("known: {}", "可用取值：{}"),
    word("multiply instead: `* 0.5`", "请改用乘法：`* 0.5`"),
    word("neither the row nor the table has a `score`", "行和决策表均未设置 `score`"),
    word("no action `{}`", "没有动作 `{}`"),
    word("no amount passes this filter", "没有金额能通过此过滤条件"),
    word("no cell for {}: `-` means any", "{} 缺少单元格：`-` 表示任意值"),
    word("no event ever has \"{}\" here", "任何事件在此处都不会是“{}”"),
    word("no event has such a value", "没有事件具有此取值"),
    word("no event passes this filter", "没有事件能通过此过滤条件"),
    word("no exchange rate for {}", "缺少 {} 的汇率"),
    word("not a point in time", "不是有效的时间"),
    word("not a regular expression", "不是有效的正则表达式"),
    word("not a time span", "不是有效的时间跨度"),
    word("not a whole number of at most 64 bits", "不是 64 位以内的整数"),
    word("not an escape", "转义写法无效"),
    word("nothing is in an empty list", "空列表不包含任何元素"),
    word("only names and maps have fields", "只有名称和映射才有字段"),
    word("pack `{}` is about {}, others are about {}", "规则包 `{}` 针对 {}，其他规则包针对 {}"),
    word("rules about acts name no `engine`", "针对内部操作的规则不设置 `engine`"),
    word("say of which type it is: `{}`, `{}` or `{}`", "请说明类型：`{}`、`{}` 或 `{}`"),
    word("say what sets these events apart, or ask `has(…)` if that is meant", "请写明这些事件的区别；若仅判断是否存在，请用 `has(…)`"),
    word("split it into several rules", "请拆分为多条规则"),
    word("the caller's own values are `attributes.text(\"name\")`", "自定义值写作 `attributes.text(\"name\")`"),
    word("the condition costs too much when its macros are written out", "宏展开后条件的计算开销过大"),
    word("the converted amount is too large", "换算后的金额过大"),
    word("the file is not written in a way that can be edited by form", "此文件的写法无法以表单编辑"),
    word("the map has this key twice", "映射中此键重复"),
    word("the name means something else already", "此名称已有其他含义"),
    word("the name of a list is snake_case, at most 64 characters", "名单名称须为 snake_case，最多 64 个字符"),
    word("the name of an attribute is a text literal", "属性名须为文本字面量"),
    word("the number is too large", "数值过大"),
    word("the pack has this rule twice", "规则包中此规则重复"),
    word("the pack writes out no such rule, or two of them", "规则包中没有此规则，或存在两条"),
    word("the places in a filtered list are not known", "过滤后列表中的位置无法确定"),
    word("the points reach {} at most, never the threshold", "得分最多为 {}，永远达不到阈值"),
    word("the regular expression is too large when it is compiled", "正则表达式编译后过大"),
    word("the row asks nothing: every cell is `-`", "此行没有任何条件：全部单元格均为 `-`"),
    word("the rule `{}` has the same condition", "规则 `{}` 的条件与此相同"),
    word("the rule does not begin with a dash", "规则未以短横线开头"),
    word("the rule does not read `{}`", "规则未读取 `{}`"),
    word("the rule lacks `engine`", "规则缺少 `engine`"),
    word("the rule lacks `reason: { code: …, text: … }`", "规则缺少 `reason: { code: …, text: … }`"),
    word("the rule lacks `source`: why it exists", "规则缺少 `source`：来源依据"),
    word("the rule lacks an example with `hit: false`", "规则缺少 `hit: false` 的样例"),
    word("the rule lacks an example with `hit: true`", "规则缺少 `hit: true` 的样例"),
    word("the rule should {}, but {}", "规则应{}，但{}"),
    word("the scorecard has no `characteristics`", "评分卡缺少 `characteristics`"),
    word("the table has no `inputs`", "决策表缺少 `inputs`"),
    word("the table has no `rows`", "决策表缺少 `rows`"),
    word("the table lacks an example with `hit: false`", "决策表缺少 `hit: false` 的样例"),
    word("the table lacks an example with `hit: true`", "决策表缺少 `hit: true` 的样例"),
    word("the text is not closed", "文本缺少结束引号"),
    word("the threshold lies above 0", "阈值须大于 0"),
    word("there is no field `{}`", "没有字段 `{}`"),
    word("there is no function `{}`", "没有函数 `{}`"),
    word("there is no input `{}`, but: {}", "没有输入 `{}`；可用输入：{}"),
    word("there is no pack `{}` to use", "没有可引用的规则包 `{}`"),
    word("there is no such rule", "没有此规则"),
    word("there is no `{}`", "没有 `{}`"),
    word("there is nothing at {}", "{} 处没有内容"),
    word("this can never be true", "此条件永不成立"),
    word("this fires only when `{}` fires too, which decides as much without it", "仅在 `{}` 触发时触发，而后者单独已作出同等决策"),
    word("this is always {}", "此处恒为{}"),
    word("this is true whatever the values are", "无论取值如何，此条件恒成立"),
    word("this may take {} steps, at most {}", "可能需要 {} 步，上限为 {} 步"),
    word("two of its parts exclude each other", "其中两个部分互相排斥"),
    word("use fewer text searches, or split the rule", "请减少文本搜索，或拆分规则"),
    word("use payment.amount_base and {}", "请使用 payment.amount_base 和 {}"),
    word("use payment.amount_base", "请使用 payment.amount_base"),
    word("use smaller counts in `{}`", "请减小 `{}` 中的次数"),
    word("what is looked up in a list may not depend on windows or lists", "在名单中查找的值不能依赖时间窗或名单"),
    word("windows of {} have no `{}`", "{} 的时间窗没有 `{}`"),
    word("write `{}` or `{}`: d, h, m, s, ms, us", "请写作 `{}` 或 `{}`：d、h、m、s、ms、us"),
    word("write `{}`, `{}` or `{}`", "请写作 `{}`、`{}` 或 `{}`"),
    word("write a backslash as `{}`", "反斜杠写作 `{}`"),
    word("write a time span as `{}`", "时间跨度写作 `{}`"),
    word("write an ISO 3166-1 alpha-2 code", "请写 ISO 3166-1 两位字母代码"),
    word("write an ISO 4217 code", "请写 ISO 4217 代码"),
    word("write an amount as `{}`", "金额写作 `{}`"),
    word("write an amount as two texts: `{}`", "金额写作两个文本：`{}`"),
    word("write it like `{}`", "写法如 `{}`"),
    word("write the other as a text: `{}`", "请将另一个写作文本：`{}`"),
    word("write `{}`", "请写作 `{}`"),
    word("wrong arguments for `{}`", "`{}` 的参数有误"),
    word("did you mean `{}`?", "是否应为 `{}`？"),
    word("did you mean \"{}\"?", "是否应为“{}”？"),
    word("did you mean {}?", "是否应为 {}？"),
    word("unclosed group", "分组未闭合"),
    word("{} has no methods", "{} 没有方法"),
    word("{} have no `{}`", "{} 没有 `{}`"),
    word("{} cannot be compared with {}", "{} 不能与 {} 比较"),
    word("{} cannot be {} {}", "{} 不能{} {}"),
    word("{}: did you mean `{}`?", "{}：是否应为 `{}`？"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const MISTAKES: &str = include_str!("../../../../rules/tests/language/mistakes.rule");

    /// What the checker says of the mistakes of its own tests.
    fn examples() -> impl Iterator<Item = &'static str> {
        MISTAKES.lines().filter_map(|line| {
            let (_, sentence) = line.split_once("error[")?;
            Some(sentence.split_once("]: ")?.1)
        })
    }

    #[test]
    fn every_mistake_that_the_checker_s_tests_make_is_said_in_chinese() {
        let english: Vec<_> = examples()
            .filter(|sentence| said(sentence, Language::Zh) == **sentence)
            .collect();
        assert_eq!(english, Vec::<&str>::new());
        assert!(examples().count() > 30);
    }

    #[test]
    fn every_sentence_has_the_same_places_in_both_languages_and_none_hides_another() {
        let places = |text: &str| text.matches("{}").count();
        for (place, word) in SENTENCES.iter().enumerate() {
            assert_eq!(places(word.en), places(word.zh), "{word:?}");
            let before = SENTENCES.iter().take(place);
            let hides = |other: &&Word| values(other.en, &word.en.replace("{}", "x")).is_some();
            assert_eq!(
                before.clone().find(hides),
                None,
                "{word:?} is never reached"
            );
        }
    }

    #[test]
    fn what_is_named_stays_and_words_of_the_checker_are_put_into_chinese() {
        for (sentence, expected) in [
            ("there is no field `payer.nam`", "没有字段 `payer.nam`"),
            (
                "expected a condition, found money",
                "此处应为条件，实际为money",
            ),
            (
                "`>` does not go between money and int",
                "`>` 不能用于 money 与 int 之间",
            ),
            ("did you mean `a`?", "是否应为 `a`？"),
            ("nobody has said this before", "nobody has said this before"),
        ] {
            assert_eq!(said(sentence, Language::Zh), expected);
            assert_eq!(said(sentence, Language::En), sentence);
        }
    }
}
