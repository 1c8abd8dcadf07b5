//! What happens where a call cannot be recorded, what it acts on, and functions without a return.

use expect_test::expect;

use super::check;

#[test]
fn destructive_function_denies() {
    check(
        r#"action = "disk.wipe", effect = "destructive""#,
        "fn wipe(disk: Disk) -> Result<(), Error> { disk.wipe() }",
        expect![[r#"
            fn wipe(disk: Disk) -> Result<(), Error> {
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
                        action: "disk.wipe",
                        tool: "wipe",
                        effect: ::audited::__private::Effect::Destructive,
                        level: ::audited::__private::Level::Request,
                        telemetry: ::audited::__private::Telemetry::Names,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Return,
                        parameters: &["disk"],
                        fields: &["disk"],
                        redact: &[],
                        summary: &[],
                        census: ::audited::__private::census!(
                            "disk.wipe", "wipe", "destructive", "request", "", ""
                        ),
                    };
                    &__AUDITED_SITE
                };
                let __begun = ::audited::__private::checked(
                    __site,
                    ::audited::__private::Given {
                        arguments: &::audited::__private::arguments!(disk),
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
                let __returned = __call
                    .run(move || -> Result<(), Error> {
                        ::audited::__private::moves!(disk);
                        disk.wipe()
                    });
                ::audited::__private::finish!(__call, __returned);
                return __returned;
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
                        action: "disk.wipe",
                        tool: "wipe",
                        effect: ::audited::__private::Effect::Destructive,
                        level: ::audited::__private::Level::Request,
                        telemetry: ::audited::__private::Telemetry::Names,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Return,
                        parameters: &["disk"],
                        fields: &["disk"],
                        redact: &[],
                        summary: &[],
                        census: ::audited::__private::census!(
                            "disk.wipe", "wipe", "destructive", "request", "", ""
                        ),
                    };
                    &__AUDITED_SITE
                };
                let __call = ::audited::__private::checked_now(
                    __site,
                    ::audited::__private::Given {
                        arguments: &::audited::__private::arguments!(disk),
                        places: &[],
                        also: ::core::option::Option::None,
                    },
                );
                #[allow(
                    clippy::redundant_closure,
                    clippy::redundant_closure_for_method_calls,
                    reason = "the attribute takes closures"
                )]
                let (__call, __returned) = match ::audited::__private::driven_checked(
                        __call,
                        async move {
                            if false {
                                return ::audited::__private::never::<Status>();
                            }
                            ::audited::__private::moves!(disk);
                            disk.wipe().await
                        },
                        ::audited::__private::apart,
                    )
                    .await
                {
                    ::core::result::Result::Ok(__returned) => __returned,
                    ::core::result::Result::Err(__unavailable) => {
                        return ::audited::__private::unavailable_with(
                            |u| Status::from(u),
                            __unavailable,
                        );
                    }
                };
                #[allow(
                    clippy::redundant_closure,
                    clippy::redundant_closure_for_method_calls,
                    reason = "the attribute takes closures"
                )] return ::audited::__private::settle_async!(__call, __returned);
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
                        action: "order.ship",
                        tool: "ship",
                        effect: ::audited::__private::Effect::Write,
                        level: ::audited::__private::Level::Request,
                        telemetry: ::audited::__private::Telemetry::Names,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Panic,
                        parameters: &["client", "order"],
                        fields: &["client", "order"],
                        redact: &[],
                        summary: &[],
                        census: ::audited::__private::census!(
                            "order.ship", "ship", "write", "request", "", "client"
                        ),
                    };
                    &__AUDITED_SITE
                };
                let mut __call = ::audited::__private::call_or_panic(
                    __site,
                    ::audited::__private::Given {
                        arguments: &::audited::__private::arguments!(client order),
                        places: &[
                            ::audited::__private::Place::Skipped(0usize),
                            ::audited::__private::Place::Taken(1usize),
                        ],
                        also: ::core::option::Option::Some(
                            &mut |__arguments| {
                                ::audited::__private::target!(__arguments, "order", order.id);
                                ::audited::__private::target!(
                                    __arguments, "address", format!("{}", order.address)
                                );
                            },
                        ),
                    },
                );
                let __returned = __call
                    .run(move || -> () {
                        ::audited::__private::moves!(order client);
                        client.ship(order)
                    });
                ::audited::__private::finish!(__call, __returned);
                return __returned;
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
                        action: "host.halt",
                        tool: "halt",
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
                            "host.halt", "halt", "write", "request", "", ""
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
                __call.run(move || -> ! { loop {} })
            }
        "#]],
    );
    check(
        r#"action = "host.halt""#,
        "async fn halt() -> ! { loop {} }",
        expect![[r#"
            async fn halt() -> ! {
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
                        action: "host.halt",
                        tool: "halt",
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
                            "host.halt", "halt", "write", "request", "", ""
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
                match __call
                    .driven(
                        async move {
                            if false {
                                return ::audited::__private::never::<::core::convert::Infallible>();
                            }
                            loop {}
                        },
                        |_, __never| __never,
                    )
                    .await
                {}
            }
        "#]],
    );
}
