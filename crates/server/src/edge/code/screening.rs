//! Refusals about screening.

macro_rules! screening {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The list does not read as a whole list of its format; `detail` says where. Fetch it again, or
        /// name its format. The version before stays at work.
        ScreeningListRefused = "screening_list_refused", UNPROCESSABLE_ENTITY, "List refused", "筛查名单未被接受";
        /// The version lacks more than a tenth of the parties of the one at work: a download may have
        /// broken off. Fetch it again; if it is right, ask for a `screening_change` with
        /// `POST /v1/approvals`. The version before stays at work.
        ScreeningListShrunken = "screening_list_shrunken", CONFLICT, "List shrank", "筛查名单异常缩减";
        /// No screening list of yours has this name.
        ScreeningListUnknown = "screening_list_unknown", NOT_FOUND, "Screening list unknown", "筛查名单不存在";
        /// No such version of the list waits to be accepted. Import it again.
        ScreeningVersionUnknown = "screening_version_unknown", NOT_FOUND, "Version unknown", "名单版本不存在";
        /// The list at work has no entry with this identifier.
        ScreeningEntryUnknown = "screening_entry_unknown", NOT_FOUND, "Entry unknown", "名单条目不存在";
        /// No party with this reference is under watch.
        ScreeningPartyUnknown = "screening_party_unknown", NOT_FOUND, "Party unknown", "被筛查方不存在";
        /// There is no screening list, so nobody could be told apart. Import one.
        ScreeningNoLists = "screening_no_lists", CONFLICT, "No screening list", "没有筛查名单";
        /// The name is longer than 1,024 bytes, or has no letters.
        ScreeningNameRefused = "screening_name_refused", UNPROCESSABLE_ENTITY, "Name refused", "名称未被接受";
        /// So many imports or batches are under way that no other is taken. Retry after the pause.
        ScreeningBusy = "screening_busy", SERVICE_UNAVAILABLE, "Screening busy", "筛查繁忙";
        /// A limit on lists, parties or names is reached; `detail` says which.
        ScreeningLimit = "screening_limit", UNPROCESSABLE_ENTITY, "Screening limit", "筛查数量达到上限";
        /// None of your batches has this identifier: a restart or later batches push results out.
        ScreeningBatchUnknown = "screening_batch_unknown", NOT_FOUND, "Batch unknown", "筛查批次不存在";
        /// The windows of the rules cannot be kept: too many, or one that is not sound.
        WindowsRefused = "windows_refused", UNPROCESSABLE_ENTITY, "Windows refused", "时间窗未被接受";
    } };
}

pub(super) use screening;
