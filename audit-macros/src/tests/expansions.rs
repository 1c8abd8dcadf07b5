//! Golden expansions.

use expect_test::{Expect, expect};

use super::tokens;

/// Expands the attribute with `arguments` on `item`, and compares the formatted result.
fn check(arguments: &str, item: &str, expected: Expect) {
    let expansion = crate::audit(tokens(arguments), tokens(item)).unwrap_or_else(|error| panic!("refused: {error}"));
    let file = syn::parse2(expansion).expect("the expansion parses");
    expected.assert_eq(&prettyplease::unparse(&file));
}

#[test]
fn sync_function() {
    check(
        r#"action = "order.refund", redact = [card, customer.ssn]"#,
        "/// Refunds.\n#[inline]\npub fn refund(order: OrderId, card: Card, customer: &Customer) -> Result<Receipt, RefundError> { \
         #![allow(unused)] pay(card)?; Ok(Receipt) }",
        expect![[r#"
            /// Refunds.
            #[inline]
            pub fn refund(
                order: OrderId,
                card: Card,
                customer: &Customer,
            ) -> Result<Receipt, RefundError> {
                #![allow(unused)]
                let site = {
                    static SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "order.refund",
                        tool: "refund",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &["order", "card", "customer"],
                        fields: &["order", "card", "customer"],
                        redact: &[
                            ::audited::__private::Path {
                                text: "card",
                                root: ::audited::__private::Root::Parameter(1usize),
                                segments: &[],
                            },
                            ::audited::__private::Path {
                                text: "customer.ssn",
                                root: ::audited::__private::Root::Parameter(2usize),
                                segments: &[
                                    ::audited::__private::Segment::Key {
                                        name: "ssn",
                                        optional: false,
                                    },
                                ],
                            },
                        ],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = ::audited::__private::begin(
                    site,
                    &mut |arguments| {
                        ::audited::__private::argument!(arguments, 0usize, order);
                        ::audited::__private::argument!(arguments, 1usize, card);
                        ::audited::__private::argument!(arguments, 2usize, customer);
                    },
                );
                let mut call = begun.call();
                let returned = call
                    .run(move || -> Result<Receipt, RefundError> {
                        ::audited::__private::moves!(customer card order);
                        {
                            pay(card)?;
                            Ok(Receipt)
                        }
                    });
                ::audited::__private::finish!(call, returned);
                returned
            }
        "#]],
    );
}

#[test]
fn async_function() {
    check(
        r#"action = "mail.send", effect = "write", level = "metadata", durability = "disk""#,
        "async fn send(mut mail: Mail, r#type: &str) -> Result<(), Error> { post(mail).await }",
        expect![[r#"
            async fn send(mut mail: Mail, r#type: &str) -> Result<(), Error> {
                let site = {
                    static SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "mail.send",
                        tool: "send",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Metadata,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::Some(
                            ::audited::__private::Durability::Disk,
                        ),
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &["mail", "type"],
                        fields: &["mail", "type"],
                        redact: &[],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = ::audited::__private::begin(
                    site,
                    &mut |arguments| {
                        ::audited::__private::argument!(arguments, 0usize, mail);
                        ::audited::__private::argument!(arguments, 1usize, r#type);
                    },
                );
                let mut call = begun.ready().await;
                let returned = call
                    .drive(async move {
                        if false {
                            return ::audited::__private::never::<Result<(), Error>>();
                        }
                        ::audited::__private::moves!(r#type mail);
                        { post(mail).await }
                    })
                    .await;
                ::audited::__private::finish_durable!(call, returned);
                returned
            }
        "#]],
    );
}

#[test]
fn method_without_parameters() {
    check(
        r#"action = "cart.count", effect = "read", stages = "completed", name = "count items", crate = crate::audit"#,
        "fn count(&self) -> usize { self.items.len() }",
        expect![[r#"
            fn count(&self) -> usize {
                let site = {
                    static SITE: crate::audit::__private::Site = crate::audit::__private::Site {
                        action: "cart.count",
                        tool: "count items",
                        effect: crate::audit::__private::Effect::Read,
                        level: crate::audit::__private::Level::Request,
                        stages: crate::audit::__private::Stages::Completed,
                        durability: ::core::option::Option::None,
                        on_unavailable: crate::audit::__private::OnUnavailable::Count,
                        parameters: &[],
                        fields: &[],
                        redact: &[],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = crate::audit::__private::begin(site, &mut |_| {});
                let mut call = begun.call();
                let returned = call
                    .run(move || -> usize {
                        crate::audit::__private::moves!(self);
                        { self.items.len() }
                    });
                crate::audit::__private::finish!(call, returned);
                returned
            }
        "#]],
    );
}

#[test]
fn destructured_parameters() {
    check(
        r#"action = "order.list", redact = [b[].*."card-number"?]"#,
        "fn list(Parameters(Request { a, b: c, .. }): Parameters<Request>, (b, _): (u8, u8), all @ ref last: u8, \
         #[cfg(feature = \"x\")] r#type: &str) -> Page { Page }",
        expect![[r#"
            fn list(
                Parameters(Request { a, b: c, .. }): Parameters<Request>,
                (b, _): (u8, u8),
                all @ ref last: u8,
                #[cfg(feature = "x")]
                r#type: &str,
            ) -> Page {
                let site = {
                    static SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "order.list",
                        tool: "list",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &["a", "c", "b", "all", "last", "type"],
                        fields: &["a", "b", "b", "all", "last", "type"],
                        redact: &[
                            ::audited::__private::Path {
                                text: "b[].*.\"card-number\"",
                                root: ::audited::__private::Root::Parameter(2usize),
                                segments: &[
                                    ::audited::__private::Segment::Each,
                                    ::audited::__private::Segment::Any,
                                    ::audited::__private::Segment::Key {
                                        name: "card-number",
                                        optional: true,
                                    },
                                ],
                            },
                        ],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = ::audited::__private::begin(
                    site,
                    &mut |arguments| {
                        ::audited::__private::argument!(arguments, 0usize, a);
                        ::audited::__private::argument!(arguments, 1usize, c);
                        ::audited::__private::argument!(arguments, 2usize, b);
                        ::audited::__private::argument!(arguments, 3usize, all);
                        ::audited::__private::argument!(arguments, 4usize, last);
                        #[cfg(feature = "x")]
                        ::audited::__private::argument!(arguments, 5usize, r#type);
                    },
                );
                let mut call = begun.call();
                let returned = call
                    .run(move || -> Page {
                        ::audited::__private::moves!(#[cfg(feature = "x")] r#type last all b c a);
                        { Page }
                    });
                ::audited::__private::finish!(call, returned);
                returned
            }
        "#]],
    );
}

#[test]
fn destructive_function_denies() {
    check(
        r#"action = "disk.wipe", effect = "destructive""#,
        "fn wipe(disk: Disk) -> Result<(), Error> { disk.wipe() }",
        expect![[r#"
            fn wipe(disk: Disk) -> Result<(), Error> {
                let site = {
                    static SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "disk.wipe",
                        tool: "wipe",
                        effect: ::audited::__private::Effect::Destructive,
                        level: ::audited::__private::Level::Request,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Return,
                        parameters: &["disk"],
                        fields: &["disk"],
                        redact: &[],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = ::audited::__private::begin(
                    site,
                    &mut |arguments| {
                        ::audited::__private::argument!(arguments, 0usize, disk);
                    },
                );
                let mut call = match begun.checked() {
                    ::core::result::Result::Ok(call) => call,
                    ::core::result::Result::Err(unavailable) => {
                        return ::audited::__private::deny(unavailable);
                    }
                };
                let returned = call
                    .run(move || -> Result<(), Error> {
                        ::audited::__private::moves!(disk);
                        { disk.wipe() }
                    });
                ::audited::__private::finish!(call, returned);
                returned
            }
        "#]],
    );
}

#[test]
fn destructive_async_function_with_closure() {
    check(
        r#"action = "disk.wipe", effect = "destructive", on_unavailable = |u| Status::from(u)"#,
        "async fn wipe(disk: Disk) -> Status { disk.wipe().await }",
        expect![[r#"
            async fn wipe(disk: Disk) -> Status {
                let site = {
                    static SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "disk.wipe",
                        tool: "wipe",
                        effect: ::audited::__private::Effect::Destructive,
                        level: ::audited::__private::Level::Request,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Return,
                        parameters: &["disk"],
                        fields: &["disk"],
                        redact: &[],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = ::audited::__private::begin(
                    site,
                    &mut |arguments| {
                        ::audited::__private::argument!(arguments, 0usize, disk);
                    },
                );
                #[allow(clippy::redundant_closure, reason = "the attribute takes a closure")]
                let mut call = match begun.checked_ready().await {
                    ::core::result::Result::Ok(call) => call,
                    ::core::result::Result::Err(unavailable) => {
                        return ::audited::__private::unavailable_with(
                            |u| Status::from(u),
                            unavailable,
                        );
                    }
                };
                let returned = call
                    .drive(async move {
                        if false {
                            return ::audited::__private::never::<Status>();
                        }
                        ::audited::__private::moves!(disk);
                        { disk.wipe().await }
                    })
                    .await;
                ::audited::__private::finish_async!(call, returned);
                returned
            }
        "#]],
    );
}

#[test]
fn targets_and_skipped_parameters() {
    check(
        r#"action = "order.ship", skip(client), on_unavailable = "panic",
           target(type = "order", id = order.id), target(type = "address", id = format!("{}", order.address))"#,
        "unsafe extern \"C\" fn ship(client: &Client, order: Order) { client.ship(order) }",
        expect![[r#"
            unsafe extern "C" fn ship(client: &Client, order: Order) {
                let site = {
                    static SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "order.ship",
                        tool: "ship",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Panic,
                        parameters: &["client", "order"],
                        fields: &["client", "order"],
                        redact: &[],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = ::audited::__private::begin(
                    site,
                    &mut |arguments| {
                        ::audited::__private::skipped!(arguments, 0usize, client);
                        ::audited::__private::argument!(arguments, 1usize, order);
                        ::audited::__private::target!(arguments, "order", order.id);
                        ::audited::__private::target!(
                            arguments, "address", format!("{}", order.address)
                        );
                    },
                );
                let mut call = begun.call();
                let returned = call
                    .run(move || -> () {
                        ::audited::__private::moves!(order client);
                        { client.ship(order) }
                    });
                ::audited::__private::finish!(call, returned);
                returned
            }
        "#]],
    );
}

#[test]
fn generics_with_impl_trait() {
    check(
        r#"action = "item.list""#,
        "fn list<'a, T: Item>(items: &'a [T], by: impl Fn(&T) -> bool) -> Result<impl Iterator<Item = &'a T>, Box<dyn Error>> \
         where T: Clone { Ok(items.iter()) }",
        expect![[r#"
            fn list<'a, T: Item>(
                items: &'a [T],
                by: impl Fn(&T) -> bool,
            ) -> Result<impl Iterator<Item = &'a T>, Box<dyn Error>>
            where
                T: Clone,
            {
                let site = {
                    static SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "item.list",
                        tool: "list",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &["items", "by"],
                        fields: &["items", "by"],
                        redact: &[],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = ::audited::__private::begin(
                    site,
                    &mut |arguments| {
                        ::audited::__private::argument!(arguments, 0usize, items);
                        ::audited::__private::argument!(arguments, 1usize, by);
                    },
                );
                let mut call = begun.call();
                let returned = call
                    .run(move || -> Result<_, Box<dyn Error>> {
                        ::audited::__private::moves!(by items);
                        { Ok(items.iter()) }
                    });
                ::audited::__private::finish!(call, returned);
                returned
            }
        "#]],
    );
}

#[test]
fn impl_trait_alone_is_left_to_inference() {
    check(
        r#"action = "item.list""#,
        "async fn list() -> impl Iterator<Item = u8> { [1].into_iter() }",
        expect![[r#"
            async fn list() -> impl Iterator<Item = u8> {
                let site = {
                    static SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "item.list",
                        tool: "list",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &[],
                        fields: &[],
                        redact: &[],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = ::audited::__private::begin(site, &mut |_| {});
                let mut call = begun.ready().await;
                let returned = call.drive(async move { { [1].into_iter() } }).await;
                ::audited::__private::finish_async!(call, returned);
                returned
            }
        "#]],
    );
}

#[test]
fn function_that_never_returns() {
    check(
        r#"action = "host.halt""#,
        "fn halt() -> ! { loop {} }",
        expect![[r#"
            fn halt() -> ! {
                let site = {
                    static SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "host.halt",
                        tool: "halt",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &[],
                        fields: &[],
                        redact: &[],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = ::audited::__private::begin(site, &mut |_| {});
                let mut call = begun.call();
                call.run(move || -> ! { loop {} })
            }
        "#]],
    );
    check(
        r#"action = "host.halt""#,
        "async fn halt() -> ! { loop {} }",
        expect![[r#"
            async fn halt() -> ! {
                let site = {
                    static SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "host.halt",
                        tool: "halt",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &[],
                        fields: &[],
                        redact: &[],
                        module: ::core::module_path!(),
                        file: ::core::file!(),
                        line: ::core::line!(),
                    };
                    &SITE
                };
                let begun = ::audited::__private::begin(site, &mut |_| {});
                let mut call = begun.ready().await;
                match call
                    .drive(async move {
                        if false {
                            return ::audited::__private::never::<::core::convert::Infallible>();
                        }
                        { loop {} }
                    })
                    .await
                {}
            }
        "#]],
    );
}

#[test]
fn error_addresses_the_text_and_a_parameter_of_that_name() {
    let check_paths = |arguments: &str, item: &str, expected: &[&str]| {
        let expansion = crate::audit(tokens(arguments), tokens(item)).expect("accepted").to_string().replace(' ', "");
        let roots = expansion.split("Root::").skip(1).filter_map(|rest| rest.split(",segments").next());
        assert_eq!(roots.collect::<Vec<_>>(), expected);
    };
    check_paths(r#"action = "a", redact = [error]"#, "fn f() {}", &["Error"]);
    check_paths(r#"action = "a", redact = [error]"#, "fn f(error: u8) {}", &["Parameter(0usize)", "Error"]);
    check_paths(r#"action = "a", redact = [error.a]"#, "fn f(error: u8) {}", &["Parameter(0usize)"]);
    check_paths(r#"action = "a", redact = [error], skip(error)"#, "fn f(error: u8) {}", &["Error"]);
    check_paths(
        r#"action = "a", redact = [r#return, return]"#,
        "fn f(r#return: u8) {}",
        &["Parameter(0usize)", "Return"],
    );
}
