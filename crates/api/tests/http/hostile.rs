//! What nobody should send: each is refused with the place of the fault, and nothing is ever a panic.

use axum::body::Body;
use http::{Method, Request};
use testkit::fake::Hook;

use crate::scene::Scene;

/// The places and words of the faults of a body.
async fn check(body: &str, expected: &[(&str, &str)]) {
    let scene = Scene::filled(Hook::default()).await;
    let answered = scene.quote(body).await;
    let errors = answered.problem(422)["errors"].as_array().expect("errors").clone();
    assert_eq!(errors.len(), expected.len(), "{errors:?}");
    for (error, (pointer, words)) in errors.iter().zip(expected) {
        assert_eq!(error["pointer"], *pointer, "{errors:?}");
        assert!(error["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{error} is not {words:?}");
    }
}

#[tokio::test]
async fn faults_are_named_with_their_places() {
    check("[]", &[("", "An object")]).await;
    check("{}", &[("/candidates", "missing")]).await;
    check(r#"{"candidates":[]}"#, &[("/candidates", "between 1 and 200")]).await;
    check(r#"{"candidates":{},"draft":7}"#, &[("/draft", "An object"), ("/candidates", "A list")]).await;
    let body = r#"{"candidates":[{"lot":"a"},5,{"lot":5}],"drafts":{}}"#;
    check(body, &[("/drafts", "no such member"), ("/candidates/1", "An object"), ("/candidates/2/lot", "A text")]).await;
    let body = r#"{"draft":{"seats":3.5,"length":"4","fuel":"coal","a/b":1,"length2":null},"candidates":[{"lot":""}]}"#;
    let expected = [
        ("/draft/a~1b", "no such attribute; there are lot, zone, length, seats, fuel"),
        ("/draft/fuel", "none of petrol, electric"),
        ("/draft/length", "A number"),
        ("/draft/length2", "no such attribute"),
        ("/draft/seats", "whole number between 1 and 9"),
        ("/candidates/0/lot", "empty"),
    ];
    check(body, &expected).await;
    // What a case knows by its life is not for a draft to say.
    check(r#"{"draft":{"since_asked":5},"candidates":[{}]}"#, &[("/draft/since_asked", "no such attribute")]).await;
}

#[tokio::test]
async fn ten_thousand_candidates_are_told_the_limit() {
    let candidates: Vec<String> = (0..10_000).map(|number| format!(r#"{{"lot":"lot-{number}"}}"#)).collect();
    let body = format!(r#"{{"candidates":[{}]}}"#, candidates.join(","));
    check(&body, &[("/candidates", "There are 10000, and between 1 and 200")]).await;
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let scene = Scene::filled(Hook::default()).await;
    let deep = format!(r#"{{"draft":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "{", "NaN", r#"{"draft":{"seats":NaN},"candidates":[{}]}"#, r#"{"draft":{"length":1e999}}"#, "\u{0}", &deep]
    {
        let answered = scene.quote(body).await;
        let detail = answered.problem(400)["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.starts_with("The body is no JSON"), "{detail}");
    }
    let bytes = Request::post("/v1/quotes").header("content-type", "application/json").body(Body::from(vec![0xFF, 0xFE]));
    scene.ask(bytes.expect("a request")).await.problem(400);
}

#[tokio::test]
async fn a_body_has_a_size_and_a_type() {
    let scene = Scene::filled(Hook::default()).await;
    let huge = scene.quote(&" ".repeat((1 << 20) + 1)).await;
    assert!(huge.problem(413)["detail"].as_str().is_some_and(|detail| detail.contains("1024 KiB")));
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("\u{e9}")] {
        let mut request = Request::post("/v1/quotes");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type.as_bytes());
        }
        scene.ask(request.body(Body::from("{}")).expect("a request")).await.problem(415);
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_problems() {
    let scene = Scene::filled(Hook::default()).await;
    for path in ["/", "/v1", "/v1/quotes/", "/v1/orders/1/eta", "/v1/parkings//eta", "/v2/../v1/quotes", "/%00"] {
        assert_eq!(scene.get(path).await.problem(404)["instance"], path);
    }
    let wrong = scene.get("/v1/quotes").await;
    wrong.problem(405);
    assert_eq!(wrong.headers["allow"], "POST");
    let deleted = Request::builder().method(Method::DELETE).uri("/metrics").body(Body::empty()).expect("a request");
    let deleted = scene.ask(deleted).await;
    deleted.problem(405);
    assert_eq!(deleted.headers["allow"], "GET,HEAD");
    assert!(
        scene.get("/v1/parkings/%ff%fe/eta").await.problem(400)["detail"].as_str().is_some_and(|detail| detail.contains("UTF-8"))
    );
    scene.get("/v1/parkings/%zz/eta").await.problem(404);
    scene.get("/v1/parkings/a?pipeline=other").await.problem(404);
    scene.get("/v1/parkings/a/eta?pipeline=other").await.problem(404);
    let counts = scene.api.counts();
    assert_eq!(counts.requests[&("/v1/parkings/{key}/eta".into(), 400)], 1);
    assert_eq!(counts.requests[&("other".into(), 404)], 7, "{counts:?}");
}

#[tokio::test]
async fn probes_say_how_it_is() {
    let scene = Scene::new();
    assert_eq!((scene.get("/livez").await.body, scene.get("/metrics").await.body), ("alive\n".into(), "a_metric 1\n".into()));
    // Nobody has begun to follow what is predicted.
    let words = scene.get("/readyz").await;
    assert!(words.problem(503)["detail"].as_str().is_some_and(|detail| detail.contains("latest predictions of parking")));
}
