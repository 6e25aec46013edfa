//! The statement that creates a reset, as a script of pgbench.

use rekey_core::{
    events::audit::Action,
    resets::{NewReset, ResetOrigin},
    scope::Scope,
};
use rekey_store_postgres::CREATE_BY_INTEGRATION;
use rekey_testkit::seed;

/// Returns a script that creates a reset for a random one of `customers`, with values of the same sizes as the API's.
pub fn pgbench_script(scope: Scope, customers: u32) -> String {
    let (reset, _): (NewReset, _) = seed::new_reset(scope, "customer1@example.com", ResetOrigin::Integration);
    let payload = seed::reset_created(scope, &reset).message.payload;
    let audit = seed::audit(Action::Create);
    // Ten characters, as those of the API.
    let id = "lpad(to_hex(:id::bigint), 10, '0')";
    let email = "'customer' || :customer::bigint || '@example.com'";
    let bytes = |bytes: &[u8]| format!("decode('{}', 'hex')", hex::encode(bytes));
    let organization = scope.organization;
    // The parameters in their order: those of `record_change!`, then those of `with_customer!` and `insert_reset!`.
    let values = [
        format!("'{organization}'"),
        "'live'".to_owned(),
        id.to_owned(),
        format!("'{}'", audit.action.as_str()),
        format!("'{}'", audit.actor.stored()),
        format!("'{}'", audit.actor.application().unwrap()),
        "NULL".to_owned(),
        "NULL".to_owned(),
        "'127.0.0.1'".to_owned(),
        "ARRAY['customer_email']".to_owned(),
        id.to_owned(),
        "'customer_password_resets.create'".to_owned(),
        bytes(&payload),
        "'reset_requested'".to_owned(),
        "10.0::float8".to_owned(),
        format!("'{organization}/live/' || {email}"),
        format!("sha256(({email})::bytea)"),
        id.to_owned(),
        "'integration'".to_owned(),
        "NULL::bytea".to_owned(),
        format!("sha256({id}::bytea)"),
        bytes(reset.sealed_token.as_bytes()),
        reset.token_ttl.whole_seconds().to_string(),
        "NULL::bigint".to_owned(),
        "NULL::float8".to_owned(),
        "NULL::bytea".to_owned(),
        "NULL".to_owned(),
        "NULL".to_owned(),
        "NULL::jsonb".to_owned(),
    ];
    // From the last on, since $1 is also the beginning of $10.
    let parameters = values.iter().enumerate().rev();
    let statement = parameters.fold(CREATE_BY_INTEGRATION.to_owned(), |statement, (index, value)| {
        statement.replace(&format!("${}", index + 1), value)
    });
    assert!(!statement.contains('$'), "a parameter without a value: {statement}");
    format!(
        "\\set customer random(1, {customers})\n\\set id random(0, 1099511627775)\n{};\n",
        statement.replace('\n', " ")
    )
}
