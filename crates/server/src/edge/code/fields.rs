//! Refusals of a body field by field.

macro_rules! fields {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// A query or path parameter is not known or not well formed; `detail` names it.
        ParameterInvalid = "parameter_invalid", BAD_REQUEST, "Parameter not valid", "参数无效";
        /// The body is not UTF-8.
        BodyNotUtf8 = "body_not_utf8", BAD_REQUEST, "Body is not UTF-8", "请求体不是 UTF-8";
        /// The body is not one JSON text.
        JsonMalformed = "json_malformed", BAD_REQUEST, "JSON malformed", "JSON 格式有误";
        /// The JSON is nested deeper than 32 levels.
        JsonTooDeep = "json_too_deep", BAD_REQUEST, "JSON too deep", "JSON 嵌套过深";
        /// A member is not known; `pointer` says where, `detail` what may have been meant.
        FieldUnknown = "field_unknown", UNPROCESSABLE_ENTITY, "Unknown field", "未知字段";
        /// A required member is missing; `pointer` says where.
        FieldMissing = "field_missing", UNPROCESSABLE_ENTITY, "Field missing", "缺少字段";
        /// A member is given twice.
        FieldDuplicate = "field_duplicate", UNPROCESSABLE_ENTITY, "Field given twice", "字段重复";
        /// A member has the wrong type or a word that is not known; `pointer` says where.
        FieldInvalid = "field_invalid", UNPROCESSABLE_ENTITY, "Field not valid", "字段无效";
        /// The amount has more decimals than its currency (ISO 4217).
        AmountDecimals = "amount_decimals", UNPROCESSABLE_ENTITY, "Too many decimals", "金额小数位过多";
        /// The amount is not plain digits such as `12.34`, or not exactly one of `value` and `minor`
        /// is given.
        AmountMalformed = "amount_malformed", UNPROCESSABLE_ENTITY, "Amount malformed", "金额格式有误";
        /// The amount is negative.
        AmountNegative = "amount_negative", UNPROCESSABLE_ENTITY, "Amount negative", "金额为负";
        /// The amount exceeds 10^15 minor units.
        AmountOverflow = "amount_overflow", UNPROCESSABLE_ENTITY, "Amount too large", "金额过大";
        /// More than 64 attributes.
        AttributeLimit = "attribute_limit", UNPROCESSABLE_ENTITY, "Too many attributes", "属性过多";
        /// An attribute is not a string, a number, true or false.
        AttributeNotScalar = "attribute_not_scalar", UNPROCESSABLE_ENTITY, "Attribute not a scalar", "属性不是单一值";
        /// The card number is not 12 to 19 digits.
        CardNumberMalformed = "card_number_malformed", UNPROCESSABLE_ENTITY, "Card number malformed", "卡号格式有误";
        /// The card number fails the Luhn check.
        CardNumberLuhn = "card_number_luhn", UNPROCESSABLE_ENTITY, "Card number mistyped", "卡号校验位不符";
        /// The card has neither `number` nor `index`.
        CardNumberMissing = "card_number_missing", UNPROCESSABLE_ENTITY, "Card number missing", "缺少卡号";
        /// The card's `index` is not one that a reply has given.
        CardIndexMalformed = "card_index_malformed", UNPROCESSABLE_ENTITY, "Card index malformed", "卡索引格式有误";
        /// Latitude lies outside -90 to 90 or longitude outside -180 to 180.
        CoordinateOutOfRange = "coordinate_out_of_range", UNPROCESSABLE_ENTITY,
            "Coordinate out of range", "坐标超出范围";
        /// Not an ISO 3166-1 alpha-2 country code.
        CountryUnknown = "country_unknown", UNPROCESSABLE_ENTITY, "Country unknown", "国家或地区代码未知";
        /// Not an active ISO 4217 currency code.
        CurrencyUnknown = "currency_unknown", UNPROCESSABLE_ENTITY, "Currency unknown", "币种代码未知";
        /// The expiry is not `YYYY-MM`.
        ExpiryMalformed = "expiry_malformed", UNPROCESSABLE_ENTITY, "Expiry malformed", "有效期格式有误";
        /// An identifier is not 1 to 128 visible ASCII characters.
        IdentifierMalformed = "identifier_malformed", UNPROCESSABLE_ENTITY, "Identifier malformed", "标识格式有误";
        /// An identifier of your own is the number of a card, and would be kept and shown in clear.
        /// Put a letter in front of what you number payments by.
        IdentifierIsCardNumber = "identifier_is_card_number", UNPROCESSABLE_ENTITY,
            "Identifier is a card number", "标识是卡号";
        /// Not an IPv4 or IPv6 address.
        IpMalformed = "ip_malformed", UNPROCESSABLE_ENTITY, "Address malformed", "IP 地址格式有误";
        /// A text has more than 512 bytes or a control character.
        TextTooLong = "text_too_long", UNPROCESSABLE_ENTITY, "Text not accepted", "文本未被接受";
        /// A time is not RFC 3339.
        TimeMalformed = "time_malformed", UNPROCESSABLE_ENTITY, "Time malformed", "时间格式有误";
        /// A time lies outside the years 1970 to 2199.
        TimeOutOfRange = "time_out_of_range", UNPROCESSABLE_ENTITY, "Time out of range", "时间超出范围";
        /// `known_at` is accepted only by a server that replays history.
        KnownAtRefused = "known_at_refused", UNPROCESSABLE_ENTITY, "known_at not accepted", "known_at 未被接受";
    } };
}

pub(super) use fields;
