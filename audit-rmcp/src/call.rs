//! One call of a tool, from the request to the answer.

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use audit_core::Conclusion;
use audit_core::context::{Context, Watch};
use audit_core::manual::{Erased, ManualCall};
use rmcp::model::{ClientRequest, ServerResult};
use rmcp::service::{RequestContext, Service};
use rmcp::{ErrorData, RoleServer};

use crate::asked::Asked;
use crate::plan::{Plan, Recorder};
use crate::verdict::{Answered, Verdict};
use crate::{Audited, refused, request};

type Answer = Result<ServerResult, ErrorData>;

impl<S: Service<RoleServer>> Audited<S> {
    /// Has a tool called, and recorded by whoever is to record it.
    pub(crate) async fn call(
        &self,
        asked: Asked,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Answer {
        let plan = self.plan(&asked);
        let around = || (self.context)(&context);
        let around = request::claimed(&context, &self.carried).in_scope(around);
        let scope = request::add(around, &context, (self.session)(&context));
        let work = self.work(request, context);
        match plan.recorder {
            Recorder::Nobody => scope.scope(work).await.into_answer(),
            Recorder::Adapter => scope.scope(self.by_the_adapter(&plan, work)).await,
            Recorder::Function => {
                let (watched, watch) = scope.clone().watch(plan.function);
                let unreached = Unreached { server: self, plan, scope, watch, is_settled: false };
                let done = watched.scope(work).await;
                unreached.settle(&done);
                done.into_answer()
            }
        }
    }

    /// Records the call here.
    async fn by_the_adapter(&self, plan: &Plan<'_>, work: impl Future<Output = Done>) -> Answer {
        let begun = self.describe(plan, |call| call.begin());
        let mut call = begun.ready().await.map_err(|unavailable| refused(&unavailable))?;
        let done = call.drive(work).await;
        let verdict = done.answer.as_ref().map(|answer| Verdict::of(answer, plan.availability));
        match (&done.answer, verdict) {
            (_, Some(Verdict::Failed(_))) if done.is_cancelled => drop(call),
            (Some(answer), Some(verdict)) => finish(call, answer, verdict),
            // Dropped, it is recorded as cancelled.
            _ => drop(call),
        }
        done.into_answer()
    }

    /// Asks the server; stops if the request is cancelled, where that is wanted.
    async fn work(&self, request: ClientRequest, context: RequestContext<RoleServer>) -> Done {
        let token = context.ct.clone();
        let mut answer = pin!(self.server.handle_request(request, context));
        let mut cancelled = pin!(token.cancelled());
        poll_fn(|polled| match answer.as_mut().poll(polled) {
            Poll::Ready(answer) => Poll::Ready(Done { is_cancelled: token.is_cancelled(), answer: Some(answer) }),
            Poll::Pending if self.drop_cancelled => {
                cancelled.as_mut().poll(polled).map(|()| Done { is_cancelled: true, answer: None })
            }
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

/// What came of asking the server.
struct Done {
    is_cancelled: bool,
    /// `None` if the request was cancelled before the tool was done.
    answer: Option<Answer>,
}

impl Done {
    /// rmcp throws the answer to a cancelled request away.
    fn into_answer(self) -> Answer {
        self.answer.unwrap_or_else(|| Err(ErrorData::internal_error("the request was cancelled", None)))
    }
}

/// A call that its audited function has not begun. Dropped before the server answers, it is recorded as cancelled.
struct Unreached<'a, S: Service<RoleServer>> {
    server: &'a Audited<S>,
    plan: Plan<'a>,
    scope: Context,
    watch: Watch,
    is_settled: bool,
}

impl<S: Service<RoleServer>> Unreached<'_, S> {
    /// Records what the function did not, if it was never reached.
    fn settle(mut self, done: &Done) {
        let Some(answer) = &done.answer else { return };
        self.is_settled = true;
        if self.watch.reached() {
            return;
        }
        let mut verdict = Verdict::of(answer, self.plan.availability);
        if let Verdict::Failed(failure) = &mut verdict {
            // Any other failure may be that of a tool of this name which is not the audited function.
            failure.never_ran |= failure.error_type == "invalid_arguments";
        }
        finish(self.begin(), answer, verdict);
    }

    fn begin(&self) -> ManualCall {
        // What is over cannot be refused any more.
        let begin = || self.server.describe(&self.plan, |call| call.count().begin().call_now());
        self.scope.clone().in_scope(begin)
    }
}

impl<S: Service<RoleServer>> Drop for Unreached<'_, S> {
    fn drop(&mut self) {
        if self.is_settled || self.watch.reached() {
            return;
        }
        let call = self.begin();
        if std::thread::panicking() {
            call.finish(Conclusion::failure("panic"), None);
        }
    }
}

fn finish(call: ManualCall, answer: &Answer, verdict: Verdict) {
    // The text of a failure stands in its reason, from which secrets are cut.
    let result = if matches!(verdict, Verdict::Failed(_)) { None } else { Answered::of(answer) };
    call.finish(verdict.into(), result.as_ref().map(|result| result as &dyn Erased));
}
