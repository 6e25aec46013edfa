//! The report of a run, to be read in an issue.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use time::OffsetDateTime;

use super::{
    client::{Asked, History, Kind},
    cluster::Ends,
    fault::PastFault,
    judge::Verdict,
};

/// A run of the suite.
pub struct Report {
    pub seed: u64,
    pub began: OffsetDateTime,
    pub faults: Vec<PastFault>,
    pub history: History,
    pub verdict: Verdict,
    pub ends: Ends,
    /// From the end of the last fault until every request, and its repetition, was answered.
    pub answered_after: Duration,
    /// From the end of the last fault until nothing was in flight.
    pub settled_after: Duration,
}

impl Report {
    /// Returns what is wrong, by kind; empty if all is well.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let Self { verdict, history, ends, .. } = self;
        let patient = |asked: &&Asked| asked.acknowledged.is_none() && asked.kind != Kind::Impatient;
        let unanswered = history.asked.iter().filter(patient).map(|asked| format!("{asked:?}")).collect();
        let kinds = [
            ("lost", &verdict.lost),
            ("unexplained duplicates", &verdict.unexplained),
            ("unexpected", &verdict.unexpected),
            ("unfinished", &verdict.unfinished),
            ("never received", &verdict.never_received),
            ("wrongly received", &verdict.wrongly_received),
            ("wrong answers", &history.wrong_answers),
            ("never acknowledged", &unanswered),
            ("ended by themselves", &ends.exits),
            ("panics", &ends.panics),
        ];
        let lines = kinds.iter().flat_map(|(kind, all)| all.iter().map(move |one| format!("{kind}: {one}")));
        lines.collect()
    }

    /// Returns the slowest 201 and the slowest mail among the requests of this time.
    fn slowest(&self, fault: &PastFault) -> (time::Duration, time::Duration) {
        let (mut answer, mut mail) = (time::Duration::ZERO, time::Duration::ZERO);
        let during = fault.from..fault.until;
        for asked in self.history.asked.iter().filter(|asked| during.contains(&asked.started_at)) {
            let Some((at, id)) = &asked.acknowledged else { continue };
            answer = answer.max(*at - asked.started_at);
            if let Some(mailed) = self.verdict.mailed_at.get(id) {
                mail = mail.max(*mailed - asked.started_at);
            }
        }
        (answer, mail)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { verdict, history, ends, .. } = self;
        writeln!(f, "chaos, seed {}: {} faults", self.seed, self.faults.len())?;
        writeln!(
            f,
            "{:>8} {:>8}  {:<60} {:>11} {:>12}",
            "at", "for", "fault", "slowest 201", "slowest mail"
        )?;
        for fault in &self.faults {
            let (answer, mail) = self.slowest(fault);
            writeln!(
                f,
                "{:>6.1} s {:>6.1} s  {:<60} {:>9.1} s {:>10.1} s",
                (fault.from - self.began).as_seconds_f64(),
                (fault.until - fault.from).as_seconds_f64(),
                fault.name,
                answer.as_seconds_f64(),
                mail.as_seconds_f64()
            )?;
        }
        writeln!(
            f,
            "requests: {} attempted, {} acknowledged; other answers: {:?}",
            verdict.attempted, verdict.acknowledged, history.other_answers
        )?;
        writeln!(
            f,
            "of the acknowledged: {} ok, {} superseded before their mail, {} decoys, {} lost",
            verdict.ok,
            verdict.superseded,
            verdict.decoys,
            verdict.lost.len()
        )?;
        writeln!(
            f,
            "mails: {} recovered (not acknowledged, mailed), {} duplicated, {} of these resets not explained by in_doubt, {} unexpected",
            verdict.recovered,
            verdict.duplicated,
            verdict.unexplained.len(),
            verdict.unexpected.len()
        )?;
        writeln!(
            f,
            "webhook: {} resets received, {} of them once more, {} never received, {} wrongly received",
            verdict.received,
            verdict.received_again,
            verdict.never_received.len(),
            verdict.wrongly_received.len()
        )?;
        writeln!(
            f,
            "left over: {} unfinished, {} dead letters; all requests and their repetitions answered {:.1} s, all mails sent {:.1} s after the last fault",
            verdict.unfinished.len(),
            verdict.dead_letters,
            self.answered_after.as_secs_f64(),
            self.settled_after.as_secs_f64()
        )?;
        writeln!(
            f,
            "programs: {} starts, {} failed starts, {} ended by themselves, {} panics",
            ends.starts,
            ends.failed_starts,
            ends.exits.len(),
            ends.panics.len()
        )
    }
}
