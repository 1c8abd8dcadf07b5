//! Functions and methods.

use expect_test::expect;

use super::{check, check_parts};

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
                let __site = {
                    #[used]
                    #[cfg_attr(
                        any(target_os = "linux", target_os = "android", target_os = "freebsd"),
                        unsafe(link_section = "audited_sites")
                    )]
                    #[cfg_attr(
                        target_vendor = "apple",
                        unsafe(link_section = "__DATA,audited_sites")
                    )]
                    #[cfg_attr(windows, unsafe(link_section = ".audsit$b"))]
                    static __AUDITED_SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "order.refund",
                        tool: "refund",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        telemetry: ::audited::__private::Telemetry::Names,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &["order", "card", "customer"],
                        fields: &["order", "card", "customer"],
                        redact: &[
                            ::audited::__private::Path {
                                text: "card",
                                root: ::audited::__private::Root::Parameter(1),
                                segments: &[],
                                method: ::audited::__private::Method::Drop,
                            },
                            ::audited::__private::Path {
                                text: "customer.ssn",
                                root: ::audited::__private::Root::Parameter(2),
                                segments: &[
                                    ::audited::__private::Segment::Key {
                                        name: "ssn",
                                        optional: false,
                                    },
                                ],
                                method: ::audited::__private::Method::Drop,
                            },
                        ],
                        summary: &[],
                        census: ::audited::__private::census!(
                            "order.refund", "refund", "write", "request", "card,customer.ssn", ""
                        ),
                    };
                    &__AUDITED_SITE
                };
                let __kind = ::audited::__private::kind!(Result < Receipt, RefundError >);
                let __begun = ::audited::__private::begin(
                    __site,
                    ::audited::__private::Given {
                        arguments: &::audited::__private::arguments!(order card customer),
                        places: &[],
                        also: ::core::option::Option::None,
                    },
                );
                let mut __call = __kind.call(__begun);
                let __returned = __call
                    .run(move || -> Result<Receipt, RefundError> {
                        ::audited::__private::moves!(customer card order);
                        pay(card)?;
                        Ok(Receipt)
                    });
                return __kind
                    .deliver(
                        __call,
                        __returned,
                        ::audited::__private::settling!(),
                        ::core::option::Option::None,
                    );
            }
        "#]],
    );
}

#[test]
fn a_timeout_is_a_duration_in_the_site() {
    let timeout = |arguments: &str, expected| {
        check_parts(
            &format!(r#"action = "a", {arguments}"#),
            "fn f() {}",
            &["append_timeout", "from_millis"],
            expected,
        );
    };
    timeout(
        "append_timeout_ms = 50",
        expect![[r#"
        append_timeout: ::core::option::Option::Some(
        ::core::time::Duration::from_millis(50),
    "#]],
    );
    timeout(
        r#"append_timeout_ms = 1, effect = "destructive", on_unavailable = "count""#,
        expect![[r#"
        append_timeout: ::core::option::Option::Some(
        ::core::time::Duration::from_millis(1),
    "#]],
    );
    timeout(
        "append_timeout_ms = 0",
        expect![[r#"
        append_timeout: ::core::option::Option::Some(
        ::core::time::Duration::from_millis(0),
    "#]],
    );
    timeout(
        "append_timeout_ms = 86_400_000",
        expect![[r#"
        append_timeout: ::core::option::Option::Some(
        ::core::time::Duration::from_millis(86400000),
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
                let __site = {
                    #[used]
                    #[cfg_attr(
                        any(target_os = "linux", target_os = "android", target_os = "freebsd"),
                        unsafe(link_section = "audited_sites")
                    )]
                    #[cfg_attr(
                        target_vendor = "apple",
                        unsafe(link_section = "__DATA,audited_sites")
                    )]
                    #[cfg_attr(windows, unsafe(link_section = ".audsit$b"))]
                    static __AUDITED_SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "mail.send",
                        tool: "send",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Metadata,
                        telemetry: ::audited::__private::Telemetry::Names,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::Some(
                            ::audited::__private::Durability::Disk,
                        ),
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &["mail", "type"],
                        fields: &["mail", "type"],
                        redact: &[],
                        summary: &[],
                        census: ::audited::__private::census!(
                            "mail.send", "send", "write", "metadata", "", ""
                        ),
                    };
                    &__AUDITED_SITE
                };
                let __call = ::audited::__private::call_now(
                    __site,
                    ::audited::__private::Given {
                        arguments: &::audited::__private::arguments!(mail r#type),
                        places: &[],
                        also: ::core::option::Option::None,
                    },
                );
                let (mut __call, __returned) = __call
                    .driven(
                        async move {
                            if false {
                                return ::audited::__private::never::<Result<(), Error>>();
                            }
                            ::audited::__private::moves!(r#type mail);
                            post(mail).await
                        },
                        ::audited::__private::apart,
                    )
                    .await;
                {
                    ::audited::__private::finish_durable!(__call, __returned);
                }
                return __returned;
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
                let __site = {
                    #[used]
                    #[cfg_attr(
                        any(target_os = "linux", target_os = "android", target_os = "freebsd"),
                        unsafe(link_section = "audited_sites")
                    )]
                    #[cfg_attr(
                        target_vendor = "apple",
                        unsafe(link_section = "__DATA,audited_sites")
                    )]
                    #[cfg_attr(windows, unsafe(link_section = ".audsit$b"))]
                    static __AUDITED_SITE: crate::audit::__private::Site = crate::audit::__private::Site {
                        action: "cart.count",
                        tool: "count items",
                        effect: crate::audit::__private::Effect::Read,
                        level: crate::audit::__private::Level::Request,
                        telemetry: crate::audit::__private::Telemetry::Names,
                        stages: crate::audit::__private::Stages::Completed,
                        durability: ::core::option::Option::None,
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: crate::audit::__private::OnUnavailable::Count,
                        parameters: &[],
                        fields: &[],
                        redact: &[],
                        summary: &[],
                        census: crate::audit::__private::census!(
                            "cart.count", "count items", "read", "request", "", ""
                        ),
                    };
                    &__AUDITED_SITE
                };
                let mut __call = crate::audit::__private::call(
                    __site,
                    crate::audit::__private::Given {
                        arguments: &[],
                        places: &[],
                        also: ::core::option::Option::None,
                    },
                );
                let __returned = __call
                    .run(move || -> usize {
                        crate::audit::__private::moves!(self);
                        self.items.len()
                    });
                crate::audit::__private::finish!(__call, __returned);
                return __returned;
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
                let __site = {
                    #[used]
                    #[cfg_attr(
                        any(target_os = "linux", target_os = "android", target_os = "freebsd"),
                        unsafe(link_section = "audited_sites")
                    )]
                    #[cfg_attr(
                        target_vendor = "apple",
                        unsafe(link_section = "__DATA,audited_sites")
                    )]
                    #[cfg_attr(windows, unsafe(link_section = ".audsit$b"))]
                    static __AUDITED_SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "order.list",
                        tool: "list",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        telemetry: ::audited::__private::Telemetry::Names,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &["a", "c", "b", "all", "last", "type"],
                        fields: &["a", "b", "b", "all", "last", "type"],
                        redact: &[
                            ::audited::__private::Path {
                                text: "b[].*.\"card-number\"",
                                root: ::audited::__private::Root::Parameter(2),
                                segments: &[
                                    ::audited::__private::Segment::Each,
                                    ::audited::__private::Segment::Any,
                                    ::audited::__private::Segment::Key {
                                        name: "card-number",
                                        optional: true,
                                    },
                                ],
                                method: ::audited::__private::Method::Drop,
                            },
                        ],
                        summary: &[],
                        census: ::audited::__private::census!(
                            "order.list", "list", "write", "request", "b[].*.\"card-number\"", ""
                        ),
                    };
                    &__AUDITED_SITE
                };
                let __kind = ::audited::__private::kind!(Page);
                let __begun = ::audited::__private::begin(
                    __site,
                    ::audited::__private::Given {
                        arguments: &::audited::__private::arguments!(
                            a c b all last #[cfg(feature = "x")] r#type
                        ),
                        places: &[
                            ::audited::__private::Place::Taken(0usize),
                            ::audited::__private::Place::Taken(1usize),
                            ::audited::__private::Place::Taken(2usize),
                            ::audited::__private::Place::Taken(3usize),
                            ::audited::__private::Place::Taken(4usize),
                            #[cfg(feature = "x")]
                            ::audited::__private::Place::Taken(5usize),
                        ],
                        also: ::core::option::Option::None,
                    },
                );
                let mut __call = __kind.call(__begun);
                let __returned = __call
                    .run(move || -> Page {
                        ::audited::__private::moves!(#[cfg(feature = "x")] r#type last all b c a);
                        Page
                    });
                return __kind
                    .deliver(
                        __call,
                        __returned,
                        ::audited::__private::settling!(),
                        ::core::option::Option::None,
                    );
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
                let __site = {
                    #[used]
                    #[cfg_attr(
                        any(target_os = "linux", target_os = "android", target_os = "freebsd"),
                        unsafe(link_section = "audited_sites")
                    )]
                    #[cfg_attr(
                        target_vendor = "apple",
                        unsafe(link_section = "__DATA,audited_sites")
                    )]
                    #[cfg_attr(windows, unsafe(link_section = ".audsit$b"))]
                    static __AUDITED_SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "item.list",
                        tool: "list",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        telemetry: ::audited::__private::Telemetry::Names,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &["items", "by"],
                        fields: &["items", "by"],
                        redact: &[],
                        summary: &[],
                        census: ::audited::__private::census!(
                            "item.list", "list", "write", "request", "", ""
                        ),
                    };
                    &__AUDITED_SITE
                };
                let mut __call = ::audited::__private::call(
                    __site,
                    ::audited::__private::Given {
                        arguments: &::audited::__private::arguments!(items by),
                        places: &[],
                        also: ::core::option::Option::None,
                    },
                );
                let __returned = __call
                    .run(move || -> Result<_, Box<dyn Error>> {
                        ::audited::__private::moves!(by items);
                        Ok(items.iter())
                    });
                ::audited::__private::finish!(__call, __returned);
                return __returned;
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
                let __site = {
                    #[used]
                    #[cfg_attr(
                        any(target_os = "linux", target_os = "android", target_os = "freebsd"),
                        unsafe(link_section = "audited_sites")
                    )]
                    #[cfg_attr(
                        target_vendor = "apple",
                        unsafe(link_section = "__DATA,audited_sites")
                    )]
                    #[cfg_attr(windows, unsafe(link_section = ".audsit$b"))]
                    static __AUDITED_SITE: ::audited::__private::Site = ::audited::__private::Site {
                        action: "item.list",
                        tool: "list",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        telemetry: ::audited::__private::Telemetry::Names,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Count,
                        parameters: &[],
                        fields: &[],
                        redact: &[],
                        summary: &[],
                        census: ::audited::__private::census!(
                            "item.list", "list", "write", "request", "", ""
                        ),
                    };
                    &__AUDITED_SITE
                };
                let __call = ::audited::__private::call_now(
                    __site,
                    ::audited::__private::Given {
                        arguments: &[],
                        places: &[],
                        also: ::core::option::Option::None,
                    },
                );
                return __call
                    .driven(
                        async move { [1].into_iter() },
                        |__call, __returned| {
                            ::audited::__private::finish_async!(__call, __returned);
                            __returned
                        },
                    )
                    .await;
            }
        "#]],
    );
}
