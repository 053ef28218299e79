//! Which route a request is for.

use super::{Route, routes};
use crate::edge::{Code, Problem};
use http::Method;
use percent_encoding::percent_decode_str;

/// The parameter that stands for several segments.
const LONG_PARAMETER: &str = "tile";

/// The route of a request and its path parameters, with `/` between them.
pub(crate) fn find(method: &Method, path: &str) -> Result<(&'static Route, String), Problem> {
    let mut allowed = Vec::new();
    for route in routes() {
        let Some(parameters) = parameters(route.path, path) else {
            continue;
        };
        if route.method == method {
            let decoded: Result<Vec<_>, _> = parameters
                .into_iter()
                .map(|parameter| percent_decode_str(parameter).decode_utf8())
                .collect();
            let detail = "the path is not percent-encoded UTF-8";
            let decoded = decoded.map_err(|_| Problem::new(Code::ParameterInvalid, detail))?;
            return Ok((route, decoded.join("/")));
        }
        allowed.push(route.method.as_str());
    }
    if allowed.is_empty() {
        return Err(Problem::new(Code::RouteUnknown, "no route has this path"));
    }
    let detail = "the path exists, but not with this method";
    Err(Problem::new(Code::MethodNotAllowed, detail).allow(&allowed.join(", ")))
}

/// The segments at the places of `{…}` if the path fits the pattern. The long one takes all the rest.
fn parameters<'p>(pattern: &str, path: &'p str) -> Option<Vec<&'p str>> {
    let mut rest = Some(path);
    let mut parameters = Vec::new();
    for wanted in pattern.split('/') {
        let name = wanted
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        let given = rest?;
        let (segment, after) = match given.split_once('/') {
            Some((segment, after)) if name != Some(LONG_PARAMETER) => (segment, Some(after)),
            _ => (given, None),
        };
        rest = after;
        match name {
            Some(_) if !segment.is_empty() => parameters.push(segment),
            None if segment == wanted => {}
            _ => return None,
        }
    }
    rest.is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_with_their_parameter_or_refused() {
        let found = |method: Method, path: &str| {
            find(&method, path)
                .map(|(route, parameter)| (route.path, parameter))
                .map_err(|problem| problem.code())
        };
        assert_eq!(
            found(Method::POST, "/v1/decisions").unwrap().0,
            "/v1/decisions"
        );
        let (path, parameter) = found(Method::GET, "/v1/payments/a%2Fb%20c/labels").unwrap();
        assert_eq!(
            (path, parameter.as_str()),
            ("/v1/payments/{payment_id}/labels", "a/b c")
        );
        let (_, parameter) = found(Method::GET, "/v1/trail/tile/0/x001/067.p/3").unwrap();
        assert_eq!(parameter, "0/x001/067.p/3");
        let (path, parameter) = found(Method::GET, "/v1/rule-sets/v/backtests/bt_1").unwrap();
        assert_eq!(
            (path, parameter.as_str()),
            ("/v1/rule-sets/{version}/backtests/{id}", "v/bt_1")
        );
        for path in [
            "/",
            "/v1",
            "/v1/decisions/",
            "/v1/decisions/a/b",
            "/v1/payments//labels",
        ] {
            assert_eq!(found(Method::GET, path), Err(Code::RouteUnknown), "{path}");
        }
        assert_eq!(
            found(Method::PATCH, "/v1/decisions"),
            Err(Code::MethodNotAllowed)
        );
        assert_eq!(
            found(Method::GET, "/v1/decisions/%ff"),
            Err(Code::ParameterInvalid)
        );
    }
}
