//! Asking the router without a socket.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use futures_util::StreamExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::fake;

pub struct Asked {
    pub router: Router,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Checks that this is a problem with this status and code.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        let problem = self.json();
        assert_eq!((self.status.as_u16(), problem["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:secondo:problem:{code}"));
        assert!(!problem["title"].as_str().unwrap().is_empty());
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
}

impl Asked {
    pub fn new() -> Self {
        Self { router: fake::router() }
    }

    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        // As every client says.
        let headers = request.headers_mut();
        headers.entry(header::HOST).or_insert(header::HeaderValue::from_static("localhost:8053"));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let octets = to_bytes(body, 1 << 30).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(octets.to_vec()).unwrap() }
    }

    /// The first that comes of an answer without an end; none if it has one before anything came.
    pub async fn first_of(&self, mut request: Request<Body>) -> Option<String> {
        request.headers_mut().entry(header::HOST).or_insert(header::HeaderValue::from_static("localhost:8053"));
        let mut body = self.router.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
        let piece = body.next().await?.unwrap();
        Some(String::from_utf8(piece.to_vec()).unwrap())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(with_token("GET", path).body(Body::empty()).unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(with_token("DELETE", path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, json: impl Into<Body>) -> Answer {
        let request = with_token("POST", path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(json.into()).unwrap()).await
    }

    pub async fn patch(&self, path: &str, json: impl Into<Body>) -> Answer {
        let request = with_token("PATCH", path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(json.into()).unwrap()).await
    }

    pub async fn post_text(&self, path: &str, text: impl Into<Body>) -> Answer {
        self.send(with_token("POST", path).header(header::CONTENT_TYPE, "text/plain").body(text.into()).unwrap())
            .await
    }

    /// Adds a zone with one primary.
    pub async fn add(&self, name: &str) {
        let body = serde_json::json!({ "name": name, "primaries": [{ "address": "192.0.2.1" }] });
        let answer = self.post("/api/v1/zones", body.to_string()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    }
}

pub fn with_token(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {}", fake::TOKEN))
}
