//! `impl` blocks.

use expect_test::expect;

use super::{check, check_parts};

#[test]
fn an_exempt_function_says_why() {
    check(
        r#"exempt("it only formats"), crate = ours"#,
        "pub const fn label(a: u8) -> u8 { #![allow(unused)] fn inner() {} a }",
        expect![[r#"
            pub const fn label(a: u8) -> u8 {
                #![allow(unused)]
                const _: () = {
                    #[used]
                    #[cfg_attr(
                        any(target_os = "linux", target_os = "android", target_os = "freebsd"),
                        unsafe(link_section = "audited_exempt")
                    )]
                    #[cfg_attr(
                        target_vendor = "apple",
                        unsafe(link_section = "__DATA,audited_exempt")
                    )]
                    #[cfg_attr(windows, unsafe(link_section = ".audexe$b"))]
                    static __AUDITED_EXEMPTION: ours::__private::Exemption = ours::__private::Exemption {
                        tool: "label",
                        reason: "it only formats",
                        census: ours::__private::census_exempt!("label", "it only formats"),
                    };
                };
                fn inner() {}
                a
            }
        "#]],
    );
}

const ORDERS: &str = r#"
    impl<T: Clone> Orders<T> where T: Send {
        const LIMIT: usize = 1;
        pub fn find(&self, id: u64) -> Option<u8> { None }
        limits! { fn untouched() {} }
        #[must_use]
        #[audited(effect = "destructive", action = "own", redact = [card])]
        #[inline]
        pub(crate) async fn refund(&self, card: Card) -> Result<(), E> { pay(card).await }
        #[audited::audited(exempt("it only formats"))]
        const fn label(&self) -> u8 { 1 }
    }"#;

#[test]
fn the_methods_of_a_block_are_named_after_its_prefix() {
    check(
        r#"prefix = "orders", effect = "read", stages = "started_completed", boxed"#,
        ORDERS,
        expect![[r#"
            impl<T: Clone> Orders<T>
            where
                T: Send,
            {
                const LIMIT: usize = 1;
                pub fn find(&self, id: u64) -> Option<u8> {
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
                            action: "orders.find",
                            tool: "find",
                            effect: ::audited::__private::Effect::Read,
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
                                "orders.find", "find", "read", "request", "", ""
                            ),
                        };
                        &__AUDITED_SITE
                    };
                    let mut __call = ::audited::__private::call(
                        __site,
                        ::audited::__private::Given {
                            arguments: &::audited::__private::arguments!(id),
                            places: &[],
                            also: ::core::option::Option::None,
                        },
                    );
                    let __returned = __call
                        .run(move || -> Option<u8> {
                            ::audited::__private::moves!(id self);
                            None
                        });
                    ::audited::__private::finish!(__call, __returned);
                    return __returned;
                }
                limits! {
                    fn untouched() {}
                }
                #[must_use]
                #[inline]
                pub(crate) async fn refund(&self, card: Card) -> Result<(), E> {
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
                            action: "own",
                            tool: "refund",
                            effect: ::audited::__private::Effect::Destructive,
                            level: ::audited::__private::Level::Request,
                            telemetry: ::audited::__private::Telemetry::Names,
                            stages: ::audited::__private::Stages::StartedCompleted,
                            durability: ::core::option::Option::None,
                            append_timeout: ::core::option::Option::None,
                            on_unavailable: ::audited::__private::OnUnavailable::Return,
                            parameters: &["card"],
                            fields: &["card"],
                            redact: &[
                                ::audited::__private::Path {
                                    text: "card",
                                    root: ::audited::__private::Root::Parameter(0),
                                    segments: &[],
                                    method: ::audited::__private::Method::Drop,
                                },
                            ],
                            summary: &[],
                            census: ::audited::__private::census!(
                                "own", "refund", "destructive", "request", "card", ""
                            ),
                        };
                        &__AUDITED_SITE
                    };
                    let __call = ::audited::__private::checked_now(
                        __site,
                        ::audited::__private::Given {
                            arguments: &::audited::__private::arguments!(card),
                            places: &[],
                            also: ::core::option::Option::None,
                        },
                    );
                    return match ::audited::__private::driven_checked(
                            __call,
                            ::audited::__private::boxed(async move {
                                if false {
                                    return ::audited::__private::never::<Result<(), E>>();
                                }
                                ::audited::__private::moves!(card self);
                                pay(card).await
                            }),
                            |__call, __returned| {
                                ::audited::__private::finish_async!(__call, __returned);
                                __returned
                            },
                        )
                        .await
                    {
                        ::core::result::Result::Ok(__returned) => __returned,
                        ::core::result::Result::Err(__unavailable) => {
                            return ::audited::__private::deny(__unavailable);
                        }
                    };
                }
                const fn label(&self) -> u8 {
                    const _: () = {
                        #[used]
                        #[cfg_attr(
                            any(target_os = "linux", target_os = "android", target_os = "freebsd"),
                            unsafe(link_section = "audited_exempt")
                        )]
                        #[cfg_attr(
                            target_vendor = "apple",
                            unsafe(link_section = "__DATA,audited_exempt")
                        )]
                        #[cfg_attr(windows, unsafe(link_section = ".audexe$b"))]
                        static __AUDITED_EXEMPTION: ::audited::__private::Exemption = ::audited::__private::Exemption {
                            tool: "label",
                            reason: "it only formats",
                            census: ::audited::__private::census_exempt!("label", "it only formats"),
                        };
                    };
                    1
                }
            }
        "#]],
    );
}

#[test]
fn a_half_typed_body_is_left_to_the_compiler() {
    let expansion = crate::tests::expand(
        r#"prefix = "orders""#,
        "impl Orders { fn whole(&self) { self. } fn half(&self, a:) {} fn next() {} }",
    );
    let text = expansion.to_string();
    assert!(text.contains("moves ! (self) ; self . }"), "{text}");
    assert!(text.contains("fn half (& self , a :) { }"), "{text}");
    assert_eq!(text.matches("static __AUDITED_SITE").count(), 2, "{text}");
}

#[test]
fn a_method_waits_as_long_as_its_block_says_unless_it_says_so_itself() {
    check_parts(
        r#"prefix = "orders", append_timeout_ms = 50"#,
        r#"impl Orders {
            fn find(&self) {}
            #[audited(append_timeout_ms = 7)]
            fn list(&self) {}
        }"#,
        &["tool:", "from_millis"],
        expect![[r#"
            tool: "find",
            ::core::time::Duration::from_millis(50),
            tool: "list",
            ::core::time::Duration::from_millis(7),
        "#]],
    );
}
