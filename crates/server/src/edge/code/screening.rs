//! Refusals about screening.

macro_rules! screening {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The list does not read as a whole list of its format; `detail` says where. Fetch it again, or
        /// name its format. The version before stays at work.
        ScreeningListRefused = "screening_list_refused", UNPROCESSABLE_ENTITY, "List refused";
        /// The version lacks more than a tenth of the parties of the one at work: a download may have
        /// broken off. Fetch it again; if it is right, ask for a `screening_change` with
        /// `POST /v1/approvals`. The version before stays at work.
        ScreeningListShrunken = "screening_list_shrunken", CONFLICT, "List shrank";
        /// No screening list of yours has this name.
        ScreeningListUnknown = "screening_list_unknown", NOT_FOUND, "Screening list unknown";
        /// No such version of the list waits to be accepted. Import it again.
        ScreeningVersionUnknown = "screening_version_unknown", NOT_FOUND, "Version unknown";
        /// The list at work has no entry with this identifier.
        ScreeningEntryUnknown = "screening_entry_unknown", NOT_FOUND, "Entry unknown";
        /// No party with this reference is under watch.
        ScreeningPartyUnknown = "screening_party_unknown", NOT_FOUND, "Party unknown";
        /// There is no screening list, so nobody could be told apart. Import one.
        ScreeningNoLists = "screening_no_lists", CONFLICT, "No screening list";
        /// The name is longer than 1,024 bytes, or has no letters.
        ScreeningNameRefused = "screening_name_refused", UNPROCESSABLE_ENTITY, "Name refused";
        /// So many imports or batches are under way that no other is taken. Retry after the pause.
        ScreeningBusy = "screening_busy", SERVICE_UNAVAILABLE, "Screening busy";
        /// A limit on lists, parties or names is reached; `detail` says which.
        ScreeningLimit = "screening_limit", UNPROCESSABLE_ENTITY, "Screening limit";
        /// None of your batches has this identifier: a restart or later batches push results out.
        ScreeningBatchUnknown = "screening_batch_unknown", NOT_FOUND, "Batch unknown";
        /// The windows of the rules cannot be kept: too many, or one that is not sound.
        WindowsRefused = "windows_refused", UNPROCESSABLE_ENTITY, "Windows refused";
    } };
}

pub(super) use screening;
