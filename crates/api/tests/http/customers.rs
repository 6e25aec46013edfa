//! `/api/customers`.

use serde_json::json;

use crate::app::{PUBLIC_URL, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_created_and_read() {
    let app = TestApp::start().await;
    let integration = app.integration().await;
    let created = app
        .create(
            "customers",
            &integration,
            json!({ "email": "John@Example.com", "password": "the first password", "reference": "C1" }),
        )
        .await;
    assert_eq!(created.status, 201, "{}", created.text);
    let own = format!("{PUBLIC_URL}/api/customers/{}", created.id());
    assert_eq!(created.header("location"), own);
    let at = created.attribute("created_at");
    assert_eq!(
        created.body["data"]["attributes"],
        json!({
            "email": "john@example.com", "status": "prospect", "has_password": true, "total_orders_count": 0, "shopper_reference": null,
            "profile_id": null, "tax_exemption_code": null, "jwt_custom_claim": null, "anonymization_info": null, "anonymization_status": null,
            "created_at": at, "updated_at": at, "reference": "C1", "reference_origin": null, "metadata": {},
        })
    );
    assert_eq!(app.get(&format!("/api/customers/{}", created.id()), &integration).await.body, created.body);

    let guest = app.guest(false).await;
    let taken = app.create("customers", &guest, json!({ "email": "john@EXAMPLE.com" })).await;
    taken.assert_error(422, "VALIDATION_ERROR", Some("/data/attributes/email"));
    assert_eq!(taken.body["errors"][0]["meta"]["error"], "taken");
    let other = app.create("customers", &guest, json!({ "email": "jane@example.com" })).await;
    assert_eq!((other.status.as_u16(), other.attribute("has_password")), (201, &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_is_told_at_once() {
    let app = TestApp::start().await;
    let attributes = json!({ "email": "nobody", "password": 7, "reference": "x".repeat(256), "reference_origin": [], "metadata": "m" });
    let answer = app.create("customers", &app.integration().await, attributes).await;
    assert_eq!(answer.status, 422);
    let told: Vec<_> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["detail"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        told,
        [
            "email - is invalid",
            "password - is not a string",
            "reference - is too long (maximum is 255 characters)",
            "reference_origin - is not a string",
            "metadata - is not an object"
        ]
    );
}
