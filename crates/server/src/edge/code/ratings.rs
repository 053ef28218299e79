//! Refusals about risk ratings of customers.

macro_rules! ratings {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// No rated customer of your company has this hash. Say what you know of them with
        /// `PUT /v1/customer-ratings` first.
        CustomerNotRated = "customer_not_rated", NOT_FOUND, "Customer not rated";
        /// What is said of a customer, or asked about their rating, is not well-formed; `detail` says
        /// why.
        RatingMalformed = "rating_malformed", UNPROCESSABLE_ENTITY, "Rating malformed";
        /// What is known of the customer demands at least the rating that `detail` names. Clear them of
        /// the entry, or correct what you said of them.
        RatingFloor = "rating_floor", CONFLICT, "Rating too low";
        /// A limit on rated customers is reached; `detail` says which.
        RatingLimit = "rating_limit", UNPROCESSABLE_ENTITY, "Rating limit";
    } };
}

pub(super) use ratings;
