//! The OpenAPI document: what the routes say of themselves, and what holds for all of them.

use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Required};

use crate::jobs::TAKE_LONG;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Secondo",
        description = "A secondary DNS service: zones are copied from their primaries and served. Requests show a token \
                       (`Authorization: Bearer TOKEN`). Whatever is not done is answered with `application/problem+json` (RFC \
                       9457), whose `code` never changes. Lists have a `next`, to be passed on for the next page. Operators act \
                       for the organisation whose number they send as `Secondo-Organisation`."
    ),
    components(schemas(crate::problem::ProblemDetails, crate::json::ZoneOrder)),
    security(("token" = []))
)]
pub(crate) struct Document;

/// The document as JSON, with what holds for all routes.
pub(crate) fn text(mut document: utoipa::openapi::OpenApi) -> String {
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_default().add_security_scheme("token", bearer);
    for (path, item) in &mut document.paths.paths {
        let all = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        all.into_iter().flatten().for_each(|operation| name_by_resource(path, operation));
        item.get.iter_mut().for_each(tell_of_tags);
        if TAKE_LONG.contains(&path.as_str()) {
            item.post.iter_mut().for_each(tell_of_jobs);
        }
        let has_tag = item.get.is_some();
        let changes = [&mut item.patch, &mut item.put, &mut item.delete].into_iter().flatten();
        changes.filter(|_| has_tag).for_each(|operation| {
            add(operation, "If-Match", "The `ETag` of what you saw: 412 if that has been changed since.");
        });
        item.post.iter_mut().for_each(|operation| {
            let about = "A text of yours, new for each request: sent again with it, within a day and with the same token, the \
                         request is carried out once and answered as before.";
            add(operation, "Idempotency-Key", about);
        });
    }
    document.to_pretty_json().expect("the document is made of plain strings and maps")
}

/// Handlers are called alike for each resource, and each name may be there once (OpenAPI §4.8.10).
fn name_by_resource(path: &str, operation: &mut Operation) {
    let resource = path.trim_start_matches("/api/v1/").split('/').next().unwrap_or_default().replace(['-', '.'], "_");
    if let Some(name) = &mut operation.operation_id {
        *name = format!("{resource}_{name}");
    }
}

/// RFC 7240 §4.1, RFC 9110 §15.3.3.
fn tell_of_jobs(operation: &mut Operation) {
    let about =
        "With `respond-async` it is carried out as a job, and answered at once with where that can be looked at.";
    add(operation, "Prefer", about);
    let location = HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some("Where the job can be looked at."))
        .build();
    let job = ContentBuilder::new().schema(Some(Ref::from_schema_name("Job"))).build();
    let accepted = ResponseBuilder::new()
        .description("It is carried out as a job.")
        .content("application/json", job)
        .header("Location", location)
        .build();
    operation.responses.responses.insert("202".to_owned(), RefOr::T(accepted));
}

fn tell_of_tags(operation: &mut Operation) {
    add(operation, "If-None-Match", "The `ETag` of what you have: 304 if it is still so.");
    let same = ResponseBuilder::new().description("It is what you have.").build();
    operation.responses.responses.insert("304".to_owned(), RefOr::T(same));
}

fn add(operation: &mut Operation, name: &str, about: &str) {
    operation.parameters.get_or_insert_default().push(RefOr::T(header(name, about)));
}

fn header(name: &str, about: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}
