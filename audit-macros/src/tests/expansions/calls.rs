//! `call!`.

use expect_test::expect;

use super::check_call;

#[test]
fn a_block_is_one_call() {
    check_call(
        r#""order.refund", effect = "destructive", fields(order), { bank.refund(order)?; Ok::<_, Error>(1) }"#,
        expect![[r#"
            fn around() {
                'call: {
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
                            tool: "order.refund",
                            effect: ::audited::__private::Effect::Destructive,
                            level: ::audited::__private::Level::Request,
                            telemetry: ::audited::__private::Telemetry::Names,
                            stages: ::audited::__private::Stages::StartedCompleted,
                            durability: ::core::option::Option::None,
                            append_timeout: ::core::option::Option::None,
                            on_unavailable: ::audited::__private::OnUnavailable::Return,
                            parameters: &[],
                            fields: &[],
                            redact: &[],
                            summary: &[],
                            census: ::audited::__private::census!(
                                "order.refund", "order.refund", "destructive", "request", "", ""
                            ),
                        };
                        &__AUDITED_SITE
                    };
                    let __begun = ::audited::__private::checked(
                        __site,
                        ::audited::__private::Given {
                            arguments: &[],
                            places: &[],
                            also: ::core::option::Option::Some(
                                &mut |__arguments| {
                                    ::audited::__private::field!(__arguments, "order", order);
                                },
                            ),
                        },
                    );
                    let mut __call = match __begun {
                        ::core::result::Result::Ok(__call) => __call,
                        ::core::result::Result::Err(__unavailable) => {
                            break 'call ::audited::__private::deny(__unavailable);
                        }
                    };
                    let __kind = ::audited::__private::Kind::OF;
                    if false {
                        break 'call ::audited::__private::never_as(&__kind);
                    }
                    let __returned = ::audited::__private::typed(
                        &__kind,
                        __call
                            .run(|| {
                                bank.refund(order)?;
                                Ok::<_, Error>(1)
                            }),
                    );
                    ::audited::__private::settle!(__call, __returned)
                }
            }
        "#]],
    );
    check_call(
        r#"actions::REFUND, target(type = "order", id = order), { bank.refund(order) },"#,
        expect![[r#"
            fn around() {
                'call: {
                    let __site = {
                        const __AUDITED_ACTION: &::core::primitive::str = actions::REFUND;
                        const _: () = ::audited::__private::check_action(__AUDITED_ACTION);
                        const __AUDITED_TOOL: &::core::primitive::str = actions::REFUND;
                        const _: () = ::audited::__private::check_tool(__AUDITED_TOOL);
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
                            action: __AUDITED_ACTION,
                            tool: __AUDITED_TOOL,
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
                            census: ::audited::__private::census_of!(
                                __AUDITED_ACTION, __AUDITED_TOOL, "write", "request", "", ""
                            ),
                        };
                        &__AUDITED_SITE
                    };
                    let mut __call = ::audited::__private::call(
                        __site,
                        ::audited::__private::Given {
                            arguments: &[],
                            places: &[],
                            also: ::core::option::Option::Some(
                                &mut |__arguments| {
                                    ::audited::__private::target!(__arguments, "order", order);
                                },
                            ),
                        },
                    );
                    let __kind = ::audited::__private::Kind::OF;
                    if false {
                        break 'call ::audited::__private::never_as(&__kind);
                    }
                    let __returned = ::audited::__private::typed(
                        &__kind,
                        __call.run(|| { bank.refund(order) }),
                    );
                    ::audited::__private::settle!(__call, __returned)
                }
            }
        "#]],
    );
}

#[test]
fn an_async_block_stays_one() {
    check_call(
        r#"action = "order.refund", on_unavailable = |u| Err(u.into()), async move { pay(order).await }"#,
        expect![[r#"
            fn around() {
                async move {
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
                            tool: "order.refund",
                            effect: ::audited::__private::Effect::Write,
                            level: ::audited::__private::Level::Request,
                            telemetry: ::audited::__private::Telemetry::Names,
                            stages: ::audited::__private::Stages::StartedCompleted,
                            durability: ::core::option::Option::None,
                            append_timeout: ::core::option::Option::None,
                            on_unavailable: ::audited::__private::OnUnavailable::Return,
                            parameters: &[],
                            fields: &[],
                            redact: &[],
                            summary: &[],
                            census: ::audited::__private::census!(
                                "order.refund", "order.refund", "write", "request", "", ""
                            ),
                        };
                        &__AUDITED_SITE
                    };
                    let __begun = ::audited::__private::begin(
                        __site,
                        ::audited::__private::Given {
                            arguments: &[],
                            places: &[],
                            also: ::core::option::Option::None,
                        },
                    );
                    #[allow(
                        clippy::redundant_closure,
                        clippy::redundant_closure_for_method_calls,
                        reason = "the attribute takes closures"
                    )]
                    let __call = match __begun.checked_ready().await {
                        ::core::result::Result::Ok(__call) => __call,
                        ::core::result::Result::Err(__unavailable) => {
                            return ::audited::__private::unavailable_with(
                                |u| Err(u.into()),
                                __unavailable,
                            );
                        }
                    };
                    #[allow(
                        clippy::redundant_closure,
                        clippy::redundant_closure_for_method_calls,
                        reason = "the attribute takes closures"
                    )]
                    let (__call, __returned) = __call
                        .driven(async move { pay(order).await }, ::audited::__private::apart)
                        .await;
                    return ::audited::__private::settle_async!(__call, __returned);
                }
            }
        "#]],
    );
}

#[test]
fn a_closure_stays_one() {
    check_call(
        r#""order.refund", name = "refund", redact = [card.number], on_unavailable = "deny",
           move |#[audit(as = "order_id")] Order { id, .. }, card: Card| -> Result<u8, Error> { bank.refund(id, card) }"#,
        expect![[r#"
            fn around() {
                move |Order { id, .. }, card: Card| -> Result<u8, Error> {
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
                            on_unavailable: ::audited::__private::OnUnavailable::Return,
                            parameters: &["order_id", "card"],
                            fields: &["id", "card"],
                            redact: &[
                                ::audited::__private::Path {
                                    text: "card.number",
                                    root: ::audited::__private::Root::Parameter(1),
                                    segments: &[
                                        ::audited::__private::Segment::Key {
                                            name: "number",
                                            optional: false,
                                        },
                                    ],
                                    method: ::audited::__private::Method::Drop,
                                },
                            ],
                            summary: &[],
                            census: ::audited::__private::census!(
                                "order.refund", "refund", "write", "request", "card.number", ""
                            ),
                        };
                        &__AUDITED_SITE
                    };
                    let __begun = ::audited::__private::checked(
                        __site,
                        ::audited::__private::Given {
                            arguments: &::audited::__private::arguments!(id card),
                            places: &[],
                            also: ::core::option::Option::None,
                        },
                    );
                    let mut __call = match __begun {
                        ::core::result::Result::Ok(__call) => __call,
                        ::core::result::Result::Err(__unavailable) => {
                            return ::audited::__private::deny(__unavailable);
                        }
                    };
                    let __returned = __call.run(|| -> Result<u8, Error> { bank.refund(id, card) });
                    ::audited::__private::settle!(__call, __returned)
                }
            }
        "#]],
    );
    check_call(
        r#""order.count", || orders.len() + 1"#,
        expect![[r#"
            fn around() {
                || {
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
                            action: "order.count",
                            tool: "order.count",
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
                                "order.count", "order.count", "write", "request", "", ""
                            ),
                        };
                        &__AUDITED_SITE
                    };
                    let mut __call = ::audited::__private::call(
                        __site,
                        ::audited::__private::Given {
                            arguments: &[],
                            places: &[],
                            also: ::core::option::Option::None,
                        },
                    );
                    let __returned = __call.run(|| { orders.len() + 1 });
                    ::audited::__private::settle!(__call, __returned)
                }
            }
        "#]],
    );
    check_call(
        r#""order.refund", async |order: u64| -> Result<u8, Error> { pay(order).await }"#,
        expect![[r#"
            fn around() {
                async |order: u64| -> Result<u8, Error> {
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
                            tool: "order.refund",
                            effect: ::audited::__private::Effect::Write,
                            level: ::audited::__private::Level::Request,
                            telemetry: ::audited::__private::Telemetry::Names,
                            stages: ::audited::__private::Stages::StartedCompleted,
                            durability: ::core::option::Option::None,
                            append_timeout: ::core::option::Option::None,
                            on_unavailable: ::audited::__private::OnUnavailable::Count,
                            parameters: &["order"],
                            fields: &["order"],
                            redact: &[],
                            summary: &[],
                            census: ::audited::__private::census!(
                                "order.refund", "order.refund", "write", "request", "", ""
                            ),
                        };
                        &__AUDITED_SITE
                    };
                    let __call = ::audited::__private::call_now(
                        __site,
                        ::audited::__private::Given {
                            arguments: &::audited::__private::arguments!(order),
                            places: &[],
                            also: ::core::option::Option::None,
                        },
                    );
                    let (__call, __returned) = __call
                        .driven(
                            async {
                                if false {
                                    return ::audited::__private::never::<Result<u8, Error>>();
                                }
                                pay(order).await
                            },
                            ::audited::__private::apart,
                        )
                        .await;
                    return ::audited::__private::settle_async!(__call, __returned);
                }
            }
        "#]],
    );
}
