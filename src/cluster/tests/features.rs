//! Only a proper answer to the dry run says what a server keeps.

use super::*;

fn invalid(causes: &Value) -> Value {
    let mut answer = failure(422, "Invalid", "ResourceSlice is invalid");
    answer["details"] = json!({"kind": "ResourceSlice", "causes": causes});
    answer
}

/// What is asked until the answer to the first dry run.
async fn asked(status: u16, answer: Value) -> Result<Features> {
    let script = vec![version("34"), node(), (DRY, status, answer)];
    let (kube, task) = server(script);
    let features = kube.features().await;
    sent(kube, task).await;
    features
}

#[tokio::test]
async fn whatever_is_no_answer_about_the_field_is_an_error() {
    let policy = json!([{"message": "slices of other drivers are denied"}]);
    let elsewhere =
        json!([{"field": "spec.pool.name", "reason": "FieldValueInvalid", "message": "no"}]);
    let answers = [
        (400, failure(400, "BadRequest", "invalid: spec.devices")),
        (413, failure(413, "RequestEntityTooLarge", "spec.devices")),
        (
            422,
            failure(422, "Invalid", "a policy denied request: spec.devices"),
        ),
        (422, invalid(&policy)),
        (422, invalid(&elsewhere)),
        (500, failure(500, "InternalError", "spec.devices")),
        (503, failure(503, "ServiceUnavailable", "")),
        (404, failure(404, "NotFound", "")),
    ];
    for (status, answer) in answers {
        let features = asked(status, answer.clone()).await;
        assert!(features.is_err(), "{status} {answer}: {features:?}");
    }
}

#[tokio::test]
async fn validation_of_the_field_is_an_answer() {
    let causes = json!([{"field": "spec.devices[0].taints", "reason": "FieldValueForbidden", "message": "no"}]);
    let features = asked(422, invalid(&causes)).await.unwrap();
    let none = Features {
        counters: false,
        taints: false,
    };
    assert_eq!(features, none);
}
