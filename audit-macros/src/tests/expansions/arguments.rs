//! What the arguments change of an expansion.

use expect_test::expect;

use super::check_parts;

#[test]
fn error_addresses_the_text_and_a_parameter_of_that_name() {
    let check_paths = |arguments: &str, item: &str, expected: &[&str]| {
        let expansion = crate::tests::expand(arguments, item).to_string().replace(' ', "");
        let roots = expansion.split("Root::").skip(1).filter_map(|rest| rest.split(",segments").next());
        assert_eq!(roots.collect::<Vec<_>>(), expected);
    };
    check_paths(r#"action = "a", redact = [error]"#, "fn f() {}", &["Error"]);
    check_paths(r#"action = "a", redact = [error]"#, "fn f(error: u8) {}", &["Parameter(0)", "Error"]);
    check_paths(r#"action = "a", redact = [error.a]"#, "fn f(error: u8) {}", &["Parameter(0)"]);
    check_paths(r#"action = "a", redact = [error], skip(error)"#, "fn f(error: u8) {}", &["Error"]);
    check_paths(r#"action = "a", redact = [r#return, return]"#, "fn f(r#return: u8) {}", &["Parameter(0)", "Return"]);
}

#[test]
fn each_path_says_how_it_is_removed() {
    let check_methods = |arguments: &str, item: &str, expected: &[&str]| {
        let expansion = crate::tests::expand(arguments, item).to_string().replace(' ', "");
        let expansion = expansion.replace("::audited::__private::", "");
        let methods = expansion.split("method:").skip(1).filter_map(|rest| rest.split(",},").next());
        let methods: Vec<&str> = methods.map(|method| method.split(",}]").next().unwrap()).collect();
        assert_eq!(methods, expected);
    };
    let check = |path: &str, expected: &[&str]| {
        let arguments = format!(r#"action = "a", redact = [{path}]"#);
        check_methods(&arguments, "fn f(a: A, drop: u8, error: E) -> u8 {}", expected);
    };
    check("a.b", &["Method::Drop"]);
    check("drop(a.b)", &["Method::Drop"]);
    check("drop", &["Method::Drop"]);
    check("mask(a)", &["Method::Mask{last_four:false}"]);
    check("mask(a[].b, last_four)", &["Method::Mask{last_four:true}"]);
    check("token(return.id)", &["Method::Token"]);
    check("token(error)", &["Method::Token", "Method::Drop"]);
    check("seal(a.name)", &["Method::Seal(Subject::OnBehalfOf)"]);
    let within = |root: &str, key: &str| {
        let key = format!("segments:&[Segment::Key{{name:\"{key}\",optional:false}}]");
        format!("Method::Seal(Subject::Within{{root:Root::{root},{key}}})")
    };
    check("seal(a.name, subject = a.id)", &[&within("Parameter(0)", "id")]);
    check("seal(return.name, subject = return.id)", &[&within("Return", "id")]);
    check("seal(return.name, subject = a.id,)", &[&within("Parameter(0)", "id")]);
    let marks = "fn f(#[audit(mask(last_four))] a: A, #[audit(seal(subject = a.id), as = \"x\")] b: u8, #[audit(token)] c: u8) {}";
    let sealed = within("Parameter(0)", "id");
    check_methods(r#"action = "a""#, marks, &["Method::Mask{last_four:true}", &sealed, "Method::Token"]);
}

#[test]
fn constants_name_the_action_and_the_tool() {
    check_parts(
        "action = actions::REFUND, name = NAME, redact = [error]",
        "fn refund<T>(error: T) {}",
        &["const _", "action:", "tool:", "census:"],
        expect![[r#"
            const __AUDITED_ACTION: &::core::primitive::str = actions::REFUND;
            const _: () = ::audited::__private::check_action(__AUDITED_ACTION);
            const __AUDITED_TOOL: &::core::primitive::str = NAME;
            const _: () = ::audited::__private::check_tool(__AUDITED_TOOL);
            action: __AUDITED_ACTION,
            tool: __AUDITED_TOOL,
            census: ::audited::__private::census_of!(
        "#]],
    );
}

#[test]
fn what_is_recorded_is_chosen_by_parameter() {
    check_parts(
        r#"action = "card.pay", redact = [customer.ssn]"#,
        "fn pay(#[audit(as = \"order_id\")] id: u64, #[audit(redact)] Card { number, cvv }: Card, \
         #[audit(skip)] #[cfg(unix)] client: &Client, #[audit(as = \"who\", redact)] customer_name: &str, customer: &Customer) {}",
        &["fn pay", "parameters:", "fields:", "text:", "root:", "argument!", "skipped!", "census:"],
        expect![[r#"
            fn pay(
            parameters: &["order_id", "number", "cvv", "client", "who", "customer"],
            fields: &["id", "number", "cvv", "client", "customer_name", "customer"],
            text: "customer.ssn",
            root: ::audited::__private::Root::Parameter(5),
            text: "number",
            root: ::audited::__private::Root::Parameter(1),
            text: "cvv",
            root: ::audited::__private::Root::Parameter(2),
            text: "customer_name",
            root: ::audited::__private::Root::Parameter(4),
            census: ::audited::__private::census!(
        "#]],
    );
    check_parts(
        r#"action = "card.pay", only(b)"#,
        "fn pay(a: u8, b: u8, (c, d): (u8, u8)) {}",
        &["argument!", "skipped!"],
        expect![""],
    );
}

#[test]
fn fields_stand_between_arguments_and_targets() {
    check_parts(
        r#"action = "order.ship", target(type = "order", id = order.id), fields(tenant = self.tenant, region, "geo.zone" = 1, a.b = 2)"#,
        "fn ship(&self, order: Order) {}",
        &["argument!", "field!", "target!"],
        expect![[r#"
            ::audited::__private::field!(__arguments, "tenant", self.tenant);
            ::audited::__private::field!(__arguments, "region", region);
            ::audited::__private::field!(__arguments, "geo.zone", 1);
            ::audited::__private::field!(__arguments, "a.b", 2);
            ::audited::__private::target!(__arguments, "order", order.id);
        "#]],
    );
}

#[test]
fn the_result_is_told_by_the_attribute() {
    check_parts(
        r#"action = "order.find", outcome = |found| found.is_some(), summary = [id, lines[].sku, "ship-to".*, [].a?]"#,
        "fn find(id: u64) -> Option<u8> { None }",
        &["text:", "finish!", "outcome ="],
        expect![[r#"
            text: "id",
            text: "lines[].sku",
            text: "\"ship-to\".*",
            text: "[].a",
            ::audited::__private::finish!(
            __call, __returned; outcome = (| found | found.is_some())
        "#]],
    );
    check_parts(
        r#"action = "order.find", durability = "disk", outcome = |found| found.is_some(), result = |found| found.len()"#,
        "async fn find(id: u64) -> Page { None }",
        &["settle_durable!", "outcome =", "result ="],
        expect![[r#"
            return ::audited::__private::settle_durable!(
            __call, __returned; outcome = (| found | found.is_some()); result = (| found |
        "#]],
    );
}

#[test]
fn rmcp_says_what_the_attribute_does_not() {
    let item =
        "#[tool(name = \"refund-order\", annotations(destructive_hint = true))] fn r#refund() -> Result<u8, E> { f() }";
    check_parts(
        r#"action = "order.refund""#,
        item,
        &["#[tool", "tool:", "effect:", "on_unavailable:", "deny"],
        expect![[r##"
            #[tool(name = "refund-order", annotations(destructive_hint = true))]
            tool: "refund-order",
            effect: ::audited::__private::Effect::Destructive,
            on_unavailable: ::audited::__private::OnUnavailable::Return,
            return ::audited::__private::deny(__unavailable);
        "##]],
    );
    check_parts(
        r#"action = "order.refund", name = "own", effect = "write""#,
        item,
        &["tool:", "effect:", "on_unavailable:"],
        expect![[r#"
            tool: "own",
            effect: ::audited::__private::Effect::Write,
            on_unavailable: ::audited::__private::OnUnavailable::Count,
        "#]],
    );
    check_parts(
        r#"action = "order.list""#,
        "#[rmcp::tool] fn r#type() {}",
        &["tool:", "effect:"],
        expect![[r#"
        tool: "r#type",
        effect: ::audited::__private::Effect::Write,
    "#]],
    );
}
