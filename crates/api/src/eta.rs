//! `GET /v1/orders/{key}/eta`: the latest prediction of a case, by the bytes that its consumers have read.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use crate::{
    latest::{Known, Latest},
    predicted::Predicted,
    problem::Problem,
};

/// The answer about one case.
pub(crate) fn eta<O>(predicted: &Predicted<O>, latest: &Latest, key: &str) -> Response {
    let entity = &predicted.entity;
    match latest.get(key.as_bytes(), predicted.clock.now()) {
        Known::Prediction(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Known::Over => {
            Problem::new(StatusCode::GONE, format!("This {entity} is over: nothing is predicted of it any more.")).into_response()
        }
        Known::Nothing => {
            let detail = format!("Nothing was predicted of such a {entity}: it has not begun, or it ended long ago.");
            Problem::new(StatusCode::NOT_FOUND, detail).into_response()
        }
    }
}
