//! One list over HTTPS. Redirects are followed three times, and held to the same reach as the
//! address that the operator has named.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, StatusCode,
    header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};
use paywarden_outward::{Client, Error, Limits, Reach, Roots};
use std::{fs, path::Path, time::Duration};

const LIMITS: Limits = Limits {
    step_max: Duration::from_secs(10),
    whole_max: Duration::from_secs(600),
    answer_bytes_max: 256 * 1024 * 1024,
    redirects_max: 3,
};

/// Why a list was not fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfetched {
    #[error("the address lies in a private network; set private_network = true if that is meant")]
    Inside,
    #[error(transparent)]
    Asking(Error),
    #[error("the publisher answered {0}")]
    Status(StatusCode),
}

impl From<Error> for Unfetched {
    fn from(error: Error) -> Self {
        match error {
            Error::Inside => Self::Inside,
            error => Self::Asking(error),
        }
    }
}

/// What the publisher said of a version, to ask whether there is another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks {
    tag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

/// What came.
pub(super) enum Fetched {
    /// The version is the one that was fetched last.
    Unchanged,
    /// The list.
    Body(Bytes, Marks),
}

/// Fetches over HTTPS.
pub(super) struct Fetcher(Client);

impl Fetcher {
    /// Trusts the authorities in a PEM file, or those of the machine.
    pub(super) fn new(authorities: Option<&Path>) -> Result<Self, String> {
        let Some(path) = authorities else {
            let client = Client::new(Roots::Native, LIMITS);
            return client.map(Self).map_err(|error| error.to_string());
        };
        let wrong =
            |error: &dyn std::fmt::Display| format!("authorities = {}: {error}", path.display());
        let pem = fs::read(path).map_err(|error| wrong(&error))?;
        let client = Client::new(Roots::Pem(&pem), LIMITS);
        client.map(Self).map_err(|error| wrong(&error))
    }

    /// Fetches a list unless it is the one that the marks are of.
    pub(super) async fn get(
        &self,
        url: &str,
        private: bool,
        marks: &Marks,
    ) -> Result<Fetched, Unfetched> {
        let mut request = Request::get(url)
            .body(Bytes::new())
            .map_err(|_| Error::Address)?;
        marks.ask(request.headers_mut());
        let (head, body) = self.0.send(request, &reach(private)).await?.into_parts();
        match head.status {
            StatusCode::OK => Ok(Fetched::Body(body, Marks::of(&head.headers))),
            StatusCode::NOT_MODIFIED if *marks != Marks::default() => Ok(Fetched::Unchanged),
            status => Err(Unfetched::Status(status)),
        }
    }
}

/// Whether an address may be asked at all.
pub(super) fn may_ask(url: &str, private: bool) -> bool {
    reach(private).allows(url)
}

fn reach(private: bool) -> Reach {
    match private {
        true => Reach::anywhere(),
        false => Reach::public(),
    }
}

impl Marks {
    fn of(headers: &HeaderMap) -> Self {
        Self {
            tag: headers.get(ETAG).cloned(),
            modified: headers.get(LAST_MODIFIED).cloned(),
        }
    }

    fn ask(&self, headers: &mut HeaderMap) {
        let marked: [(HeaderName, &Option<HeaderValue>); 2] = [
            (IF_NONE_MATCH, &self.tag),
            (IF_MODIFIED_SINCE, &self.modified),
        ];
        for (name, value) in marked {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        task::JoinHandle,
    };

    /// A publisher that answers each request with the next of these, and what it was asked.
    async fn publisher(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/list", listener.local_addr().unwrap());
        let serve = async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap();
                asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        };
        (url, tokio::spawn(serve))
    }

    fn fetcher() -> Fetcher {
        Fetcher::new(None).unwrap()
    }

    #[tokio::test]
    async fn a_list_comes_once_and_redirects_lead_nowhere_else() {
        let (url, served) = publisher(vec![
            "HTTP/1.1 302 Found\r\nlocation: /moved\r\ncontent-length: 0\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\netag: \"v1\"\r\ncontent-length: 4\r\n\r\nlist".to_owned(),
            "HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\nhalf".to_owned(),
            "HTTP/1.1 302 Found\r\nlocation: http://inside.example/\r\n\r\n".to_owned(),
            "HTTP/1.1 503 Gone\r\ncontent-length: 0\r\n\r\n".to_owned(),
        ])
        .await;
        let fetcher = fetcher();
        let Ok(Fetched::Body(body, marks)) = fetcher.get(&url, true, &Marks::default()).await
        else {
            panic!("no list");
        };
        assert_eq!(body, "list");
        assert!(matches!(
            fetcher.get(&url, true, &marks).await,
            Ok(Fetched::Unchanged)
        ));
        let half = fetcher.get(&url, true, &marks).await;
        assert!(matches!(half, Err(Unfetched::Asking(Error::Answer(_)))));
        let inside = fetcher.get(&url, true, &marks).await;
        assert!(matches!(inside, Err(Unfetched::Asking(Error::Address))));
        assert!(matches!(
            fetcher.get(&url, true, &marks).await,
            Err(Unfetched::Status(_))
        ));
        let asked = served.await.unwrap();
        assert!(asked[1].starts_with("GET /moved ") && !asked[1].contains("if-none-match"));
        assert!(asked[2].contains("if-none-match: \"v1\""), "{}", asked[2]);
    }
}
