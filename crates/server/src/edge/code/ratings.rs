//! Refusals about risk ratings of customers.

macro_rules! ratings {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// No rated customer of your company has this hash. Say what you know of them with
        /// `PUT /v1/customer-ratings` first.
        CustomerNotRated = "customer_not_rated", NOT_FOUND, "Customer not rated", "客户尚未评级";
        /// What is said of a customer, or asked about their rating, is not well-formed; `detail` says
        /// why.
        RatingMalformed = "rating_malformed", UNPROCESSABLE_ENTITY, "Rating malformed", "评级格式有误";
        /// What is known of the customer demands at least the rating that `detail` names. Clear them of
        /// the entry, or correct what you said of them.
        RatingFloor = "rating_floor", CONFLICT, "Rating too low", "评级过低";
        /// A limit on rated customers is reached; `detail` says which.
        RatingLimit = "rating_limit", UNPROCESSABLE_ENTITY, "Rating limit", "评级数量达到上限";
    } };
}

pub(super) use ratings;
