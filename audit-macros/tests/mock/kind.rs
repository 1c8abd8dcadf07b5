//! What a function returns: a plain value, or a boxed future, which is boxed again with the end of the call inside.

use std::marker::PhantomData;
use std::pin::Pin;

use super::__private::{Begun, Call, Unavailable};

pub struct Kind<R>(PhantomData<fn() -> R>);

impl<R> Kind<R> {
    pub const OF: Self = Self(PhantomData);
}

pub fn never_as<R>(_: &Kind<R>) -> R {
    unreachable!("only there for its type")
}

pub fn typed<R>(_: &Kind<R>, value: R) -> R {
    value
}

pub trait BoxedFuture {
    fn kind(&self) -> Boxed;
}

impl<T> BoxedFuture for Kind<Pin<Box<dyn Future<Output = T> + Send + '_>>> {
    fn kind(&self) -> Boxed {
        Boxed
    }
}

pub trait PlainValue {
    fn kind(&self) -> Plain;
}

impl<R> PlainValue for &Kind<R> {
    fn kind(&self) -> Plain {
        Plain
    }
}

pub struct Plain;

pub struct Boxed;

type Settling<R> = fn(R) -> (R, String);
type Policy<R> = fn(Unavailable) -> R;

impl Plain {
    pub fn call(&self, begun: Begun) -> Call {
        begun.call()
    }

    pub fn call_or_panic(&self, begun: Begun) -> Call {
        begun.call()
    }

    pub fn checked(&self, begun: Begun) -> Result<Call, Unavailable> {
        begun.checked()
    }

    pub fn refuse<R>(&self, unavailable: Unavailable, policy: impl FnOnce(Unavailable) -> R) -> R {
        policy(unavailable)
    }

    pub fn refuse_at_once<R>(&self, unavailable: Unavailable, policy: impl FnOnce(Unavailable) -> R) -> R {
        policy(unavailable)
    }

    pub fn deliver<R>(&self, call: Call, returned: R, settling: Settling<R>, _: Option<Policy<R>>) -> R {
        self.deliver_at_once(call, returned, settling)
    }

    pub fn deliver_at_once<R>(&self, mut call: Call, returned: R, settling: Settling<R>) -> R {
        let (returned, text) = settling(returned);
        call.finish(text);
        returned
    }
}

type Future_<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Boxed {
    pub fn call(&self, begun: Begun) -> Call {
        begun.call()
    }

    pub fn call_or_panic(&self, begun: Begun) -> Call {
        begun.call()
    }

    pub fn checked(&self, begun: Begun) -> Result<Call, Unavailable> {
        begun.checked()
    }

    pub fn refuse<'a, T: Send + 'a>(&self, unavailable: Unavailable, policy: Policy<T>) -> Future_<'a, T> {
        Box::pin(std::future::ready(policy(unavailable)))
    }

    pub fn deliver<'a, T: 'a>(
        &self,
        call: Call,
        returned: Future_<'a, T>,
        settling: Settling<T>,
        _: Option<Policy<T>>,
    ) -> Future_<'a, T> {
        Box::pin(settled(call, returned, settling))
    }
}

async fn settled<F: Future>(mut call: Call, returned: F, settling: Settling<F::Output>) -> F::Output {
    let (output, text) = settling(returned.await);
    call.finish_async(text);
    output
}

pub enum Guarded<F: Future> {
    Refused(Option<F::Output>),
    Called(Pin<Box<dyn Future<Output = F::Output> + Send>>),
}

impl<F: Future> Unpin for Guarded<F> {}

impl<F: Future> Future for Guarded<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<F::Output> {
        match &mut *self {
            Self::Refused(output) => {
                std::task::Poll::Ready(output.take().unwrap_or_else(|| unreachable!("it is polled once")))
            }
            Self::Called(future) => future.as_mut().poll(context),
        }
    }
}

pub fn guarded<F: Future + Send + 'static>(
    call: Call,
    returned: F,
    settling: Settling<F::Output>,
    _: Option<Policy<F::Output>>,
) -> Guarded<F> {
    Guarded::Called(Box::pin(settled(call, returned, settling)))
}

pub fn refused<F: Future>(unavailable: Unavailable, policy: Policy<F::Output>) -> Guarded<F> {
    Guarded::Refused(Some(policy(unavailable)))
}

pub fn resolving<T, F: Future<Output = T>>(future: F) -> F {
    future
}

pub fn yielding<T, S: Iterator<Item = T>>(stream: S) -> S {
    stream
}
