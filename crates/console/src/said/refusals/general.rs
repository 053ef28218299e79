//! Those that would take others for theirs, so that they come last.

use crate::said::word;
use crate::word::Word;

#[rustfmt::skip]
pub(super) const SENTENCES: &[Word] = &[
    word("the password does not meet {}", "口令不符合要求：{}"),
    word("the alert is {}", "该告警的状态为：{}"),
    word("{} works on it", "{} 正在处理"),
    word("at most {}", "上限：{}"),
    word("{} does not read back", "{} 无法读取"),
    word("one of {}", "须为以下之一：{}"),
];
