//! Functions whose call may go on after they have returned.

use expect_test::expect;

use super::{check, check_parts};

#[test]
fn a_type_that_may_be_a_future_decides_itself() {
    check(
        r#"action = "order.refund", effect = "destructive""#,
        "fn refund<'a>(&'a self, order: u64) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> { Box::pin(pay(order)) }",
        expect![[r#"
            fn refund<'a>(
                &'a self,
                order: u64,
            ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
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
                        effect: ::audited::__private::Effect::Destructive,
                        level: ::audited::__private::Level::Request,
                        telemetry: ::audited::__private::Telemetry::Names,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Return,
                        parameters: &["order"],
                        fields: &["order"],
                        redact: &[],
                        summary: &[],
                        census: ::audited::__private::census!(
                            "order.refund", "refund", "destructive", "request", "", ""
                        ),
                    };
                    &__AUDITED_SITE
                };
                let __kind = ::audited::__private::kind!(
                    Pin < Box < dyn Future < Output = Result < (), Error > > + Send + 'a > >
                );
                let __begun = ::audited::__private::begin(
                    __site,
                    ::audited::__private::Given {
                        arguments: &::audited::__private::arguments!(order),
                        places: &[],
                        also: ::core::option::Option::None,
                    },
                );
                let mut __call = match __kind.checked(__begun) {
                    ::core::result::Result::Ok(__call) => __call,
                    ::core::result::Result::Err(__unavailable) => {
                        return __kind.refuse(__unavailable, ::audited::__private::deny);
                    }
                };
                let __returned = __call
                    .run(move || -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
                        ::audited::__private::moves!(order self);
                        Box::pin(pay(order))
                    });
                return __kind
                    .deliver(
                        __call,
                        __returned,
                        ::audited::__private::settling!(),
                        ::core::option::Option::Some(::audited::__private::deny),
                    );
            }
        "#]],
    );
}

#[test]
fn an_opaque_future_is_guarded() {
    check(
        r#"action = "order.refund", effect = "destructive", on_unavailable = |u| Err(Error::from(u))"#,
        "fn refund(order: u64) -> impl Future<Output = Result<(), Error>> + Send { async move { pay(order).await } }",
        expect![[r#"
            fn refund(order: u64) -> impl Future<Output = Result<(), Error>> + Send {
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
                        effect: ::audited::__private::Effect::Destructive,
                        level: ::audited::__private::Level::Request,
                        telemetry: ::audited::__private::Telemetry::Names,
                        stages: ::audited::__private::Stages::StartedCompleted,
                        durability: ::core::option::Option::None,
                        append_timeout: ::core::option::Option::None,
                        on_unavailable: ::audited::__private::OnUnavailable::Return,
                        parameters: &["order"],
                        fields: &["order"],
                        redact: &[],
                        summary: &[],
                        census: ::audited::__private::census!(
                            "order.refund", "refund", "destructive", "request", "", ""
                        ),
                    };
                    &__AUDITED_SITE
                };
                let __begun = ::audited::__private::checked_now(
                    __site,
                    ::audited::__private::Given {
                        arguments: &::audited::__private::arguments!(order),
                        places: &[],
                        also: ::core::option::Option::None,
                    },
                );
                #[allow(
                    clippy::redundant_closure,
                    clippy::redundant_closure_for_method_calls,
                    reason = "the attribute takes closures"
                )]
                let mut __call = match __begun {
                    ::core::result::Result::Ok(__call) => __call,
                    ::core::result::Result::Err(__unavailable) => {
                        return ::audited::__private::refused(
                            __unavailable,
                            |__unavailable| ::audited::__private::unavailable_with(
                                |u| Err(Error::from(u)),
                                __unavailable,
                            ),
                        );
                    }
                };
                let __returned = ::audited::__private::resolving::<
                    Result<(), Error>,
                    _,
                >(
                    __call
                        .run(move || {
                            ::audited::__private::moves!(order);
                            async move { pay(order).await }
                        }),
                );
                #[allow(
                    clippy::redundant_closure,
                    clippy::redundant_closure_for_method_calls,
                    reason = "the attribute takes closures"
                )]
                return ::audited::__private::guarded(
                    __call,
                    __returned,
                    ::audited::__private::settling!(),
                    ::core::option::Option::Some(|__unavailable| ::audited::__private::unavailable_with(
                        |u| Err(Error::from(u)),
                        __unavailable,
                    )),
                );
            }
        "#]],
    );
}

#[test]
fn each_kind_of_result_ends_in_its_own_way() {
    let parts = ["kind", "begun.", "call.", "finish", "settl", "guarded", "refused", "Box::pin", "returned", "boxed"];
    for (arguments, item, expected) in [
        (
            r#"action = "a""#,
            "fn f() -> Receipt { g() }",
            expect![[r#"
                let __kind = ::audited::__private::kind!(Receipt);
                let mut __call = __kind.call(__begun);
                let __returned = __call.run(move || -> Receipt { g() });
                return __kind
                __returned,
                ::audited::__private::settling!(),
            "#]],
        ),
        (
            r#"action = "a", on_unavailable = "deny""#,
            "fn f() -> Result<Receipt, E> { g() }",
            expect![[r#"
                let __kind = ::audited::__private::kind!(Result < Receipt, E >);
                let mut __call = match __kind.checked(__begun) {
                return __kind.refuse(__unavailable, ::audited::__private::deny);
                let __returned = __call.run(move || -> Result<Receipt, E> { g() });
                return __kind
                __returned,
                ::audited::__private::settling!(),
            "#]],
        ),
        (
            r#"action = "a", on_unavailable = |u| refuse(u, order)"#,
            "fn f(order: u8) -> Receipt { g() }",
            expect![[r#"
                let __kind = ::audited::__private::kind!(Receipt);
                let mut __call = match __kind.checked(__begun) {
                return __kind
                let __returned = __call
                return __kind.deliver_at_once(__call, __returned, ::audited::__private::settling!());
            "#]],
        ),
        (
            r#"action = "a", outcome = |r| r.is_ok()"#,
            "fn f() -> Pin<Box<impl Future<Output = u8>>> { g() }",
            expect![[r#"
                let __returned = ::audited::__private::resolving::<
                >(__call.run(move || -> Pin<Box<_>> { g() }));
                return ::std::boxed::Box::pin(
                ::audited::__private::guarded(
                __returned,
                ::audited::__private::settling!(; outcome = (| r | r.is_ok())),
            "#]],
        ),
        (
            r#"action = "a", on_unavailable = "deny""#,
            "fn f() -> Pin<Box<impl Future<Output = Result<u8, E>>>> { g() }",
            expect![[r#"
                return ::std::boxed::Box::pin(
                ::audited::__private::refused(__unavailable, ::audited::__private::deny),
                let __returned = ::audited::__private::resolving::<
                >(__call.run(move || -> Pin<Box<_>> { g() }));
                return ::std::boxed::Box::pin(
                ::audited::__private::guarded(
                __returned,
                ::audited::__private::settling!(),
            "#]],
        ),
        (
            r#"action = "a""#,
            "fn f() -> Result<impl Stream<Item = u8>, E> { g() }",
            expect![[r#"
                let __returned = ::audited::__private::yielding_result::<
                >(__call.run(move || -> Result<_, E> { g() }));
                return ::audited::__private::settle_opaque!(__call, __returned);
            "#]],
        ),
        (
            r#"action = "a""#,
            "async fn f() -> impl Stream<Item = u8> { g() }",
            expect![[r#"
                let (__call, __returned) = __call
                let __returned = ::audited::__private::yielding::<u8, _>(__returned);
                return ::audited::__private::settle_opaque_async!(__call, __returned);
            "#]],
        ),
        (
            r#"action = "a""#,
            "async fn f() -> Result<Receipt, E> { g() }",
            expect![[r#"
                let (__call, __returned) = __call
                return ::audited::__private::settle_async!(__call, __returned);
            "#]],
        ),
        (
            r#"action = "a", durability = "disk""#,
            "async fn f() -> Receipt { g() }",
            expect![[r#"
                let (__call, __returned) = __call
                return ::audited::__private::settle_durable!(__call, __returned);
            "#]],
        ),
        (
            r#"action = "a", boxed"#,
            "async fn f() -> u8 { g() }",
            expect![[r#"
                ::audited::__private::boxed(async move {
                |__call, __returned| {
                ::audited::__private::finish_async!(__call, __returned);
                __returned
            "#]],
        ),
        (
            r#"action = "a", boxed = "local""#,
            "async fn f() -> u8 { g() }",
            expect![[r#"
                ::audited::__private::boxed_local(async move {
                |__call, __returned| {
                ::audited::__private::finish_async!(__call, __returned);
                __returned
            "#]],
        ),
    ] {
        check_parts(arguments, item, &parts, expected);
    }
}

#[test]
fn async_trait_method() {
    check(
        r#"action = "order.find""#,
        "fn find<'life0, 'async_trait>(&'life0 self, id: u64) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Option<Order>> \
         + ::core::marker::Send + 'async_trait>> where 'life0: 'async_trait, Self: 'async_trait { \
         Box::pin(async move { let __self = self; let __ret: Option<Order> = { __self.orders.get(id).await }; __ret }) }",
        expect![[r#"
            fn find<'life0, 'async_trait>(
                &'life0 self,
                id: u64,
            ) -> ::core::pin::Pin<
                Box<
                    dyn ::core::future::Future<
                        Output = Option<Order>,
                    > + ::core::marker::Send + 'async_trait,
                >,
            >
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                Box::pin(async move {
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
                            action: "order.find",
                            tool: "find",
                            effect: ::audited::__private::Effect::Write,
                            level: ::audited::__private::Level::Request,
                            telemetry: ::audited::__private::Telemetry::Names,
                            stages: ::audited::__private::Stages::StartedCompleted,
                            durability: ::core::option::Option::None,
                            append_timeout: ::core::option::Option::None,
                            on_unavailable: ::audited::__private::OnUnavailable::Count,
                            parameters: &["id"],
                            fields: &["id"],
                            redact: &[],
                            summary: &[],
                            census: ::audited::__private::census!(
                                "order.find", "find", "write", "request", "", ""
                            ),
                        };
                        &__AUDITED_SITE
                    };
                    let __call = ::audited::__private::call_now(
                        __site,
                        ::audited::__private::Given {
                            arguments: &::audited::__private::arguments!(id),
                            places: &[],
                            also: ::core::option::Option::None,
                        },
                    );
                    let (__call, __returned) = __call
                        .driven(
                            async move {
                                let __self = self;
                                let __ret: Option<Order> = { __self.orders.get(id).await };
                                __ret
                            },
                            ::audited::__private::apart,
                        )
                        .await;
                    return ::audited::__private::settle_async!(__call, __returned);
                })
            }
        "#]],
    );
}
