//! The report of a run, to be read in an issue.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    client::{Asked, History, Kind},
    cluster::Ends,
    fault::PastFault,
    judge::Verdict,
    resources::Growth,
    uses::USES,
};

/// How many points the plot of latencies has.
const POINTS: u32 = 240;

/// A run of the suite.
pub struct Report {
    pub seed: u64,
    pub clients: usize,
    pub began: OffsetDateTime,
    pub faults: Vec<PastFault>,
    pub history: History,
    pub verdict: Verdict,
    pub ends: Ends,
    pub growth: Vec<Growth>,
    /// From the end of the last fault until every request, and its repetition, was answered.
    pub answered_after: Duration,
    /// From the end of the last fault until nothing was in flight.
    pub settled_after: Duration,
}

impl Report {
    /// Returns what is wrong, by kind; empty if all is well.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let Self { verdict, history, ends, growth, .. } = self;
        let patient = |asked: &&Asked| asked.acknowledged.is_none() && asked.kind != Kind::Impatient;
        let unanswered = history.asked.iter().filter(patient).map(|asked| format!("{asked:?}")).collect();
        let dead_letters =
            (verdict.dead_letters > 0).then(|| verdict.dead_letters.to_string()).into_iter().collect();
        let connections = u64::try_from(self.clients * USES).unwrap();
        let leaks = growth
            .iter()
            .filter(|growth| growth.is_leak(connections))
            .map(|growth| format!("{growth:?}"))
            .collect();
        let kinds = [
            ("lost", &verdict.lost),
            ("unexplained duplicates", &verdict.unexplained),
            ("unexpected", &verdict.unexpected),
            ("unfinished", &verdict.unfinished),
            ("never received", &verdict.never_received),
            ("wrongly received", &verdict.wrongly_received),
            ("audit log", &verdict.audit),
            ("dead letters", &dead_letters),
            ("wrong answers", &history.wrong_answers),
            ("never acknowledged", &unanswered),
            ("ended by themselves", &ends.exits),
            ("panics", &ends.panics),
            ("leaks", &leaks),
        ];
        let lines = kinds.iter().flat_map(|(kind, all)| all.iter().map(move |one| format!("{kind}: {one}")));
        lines.collect()
    }

    /// Returns the figures, for `docs/evidence.md`.
    #[must_use]
    pub fn json(&self) -> Value {
        let seconds = |at: OffsetDateTime| (at - self.began).as_seconds_f64();
        let fault = |fault: &PastFault| json!([fault.name, seconds(fault.from), seconds(fault.until)]);
        json!({
            "seed": self.seed,
            "clients": self.clients,
            "faults": self.faults.iter().map(fault).collect::<Vec<_>>(),
            "verdict": self.verdict,
            "other_answers": self.history.other_answers,
            "wrong_answers": self.history.wrong_answers,
            "starts": self.ends.starts,
            "failed_starts": self.ends.failed_starts,
            "panics": self.ends.panics,
            "growth": self.growth,
            "settled_after": self.settled_after.as_secs_f64(),
            "timeline": self.timeline(),
        })
    }

    /// Returns rows of a time in seconds, the median and the slowest answer, and the median and the slowest mail of the requests around that time,
    /// also in seconds. A retried request counts from its first try.
    fn timeline(&self) -> Vec<[f64; 5]> {
        let acknowledged: Vec<_> = self
            .history
            .asked
            .iter()
            .filter_map(|asked| {
                let (at, reset) = asked.acknowledged.as_ref()?;
                let mail = self.verdict.mailed_at.get(&reset.id).map(|mailed| *mailed - asked.started_at);
                let start = (asked.started_at - self.began).as_seconds_f64();
                Some((
                    start,
                    (*at - asked.started_at).as_seconds_f64(),
                    mail.map(time::Duration::as_seconds_f64),
                ))
            })
            .collect();
        let width = acknowledged.iter().map(|(start, ..)| *start).fold(1.0, f64::max) / f64::from(POINTS);
        let row = |point: u32| {
            let from = f64::from(point) * width;
            let during = acknowledged.iter().filter(|(start, ..)| (from..from + width).contains(start));
            let (answers, mails): (Vec<_>, Vec<_>) = during.map(|(_, answer, mail)| (*answer, *mail)).unzip();
            let [answer, slowest_answer] = median_and_slowest(answers)?;
            let [mail, slowest_mail] = median_and_slowest(mails.into_iter().flatten().collect())?;
            Some([from, answer, slowest_answer, mail, slowest_mail])
        };
        (0..POINTS).filter_map(row).collect()
    }

    /// Returns the slowest 201 and the slowest mail among the requests of this time.
    fn slowest(&self, fault: &PastFault) -> (time::Duration, time::Duration) {
        let (mut answer, mut mail) = (time::Duration::ZERO, time::Duration::ZERO);
        let during = fault.from..fault.until;
        for asked in self.history.asked.iter().filter(|asked| during.contains(&asked.started_at)) {
            let Some((at, reset)) = &asked.acknowledged else { continue };
            answer = answer.max(*at - asked.started_at);
            if let Some(mailed) = self.verdict.mailed_at.get(&reset.id) {
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
            "new passwords: {} by one of several uses at once, {} of them without a mail as the customer's budget was used up; the other uses and the sessions from before were refused",
            verdict.completed, verdict.over_budget
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
        )?;
        for Growth { name, seconds, megabytes, descriptors } in &self.growth {
            writeln!(
                f,
                "{name}, {seconds} s: {} and then {} MB, {} and then {} descriptors",
                megabytes[0], megabytes[1], descriptors[0], descriptors[1]
            )?;
        }
        Ok(())
    }
}

fn median_and_slowest(mut values: Vec<f64>) -> Option<[f64; 2]> {
    values.sort_by(f64::total_cmp);
    Some([*values.get(values.len() / 2)?, *values.last()?])
}
