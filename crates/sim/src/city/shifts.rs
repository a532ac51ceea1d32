//! Shifts: who rides on a day and when, the positions that riders report meanwhile, and going home.

use domain::{Span, Timestamp};

use super::{City, Task};
use crate::{chance::Law, rider::Doing};

/// Local hours from and to, and how many of the riders have this shift. The last ends in the night after.
const SHIFTS: [([f64; 2], f64); 6] = [
    ([6.5, 13.0], 0.07),
    ([10.0, 15.0], 0.19),
    ([10.5, 20.5], 0.3),
    ([16.5, 22.5], 0.23),
    ([17.0, 23.5], 0.13),
    ([18.0, 27.0], 0.08),
];
/// The hour in which nobody is on shift, and the next day is planned.
const ROSTER_HOUR: i64 = 4;
/// Nobody is on time to the minute.
const JITTER_MS: f64 = 10.0 * 60_000.0;
const HOUR_MS: f64 = 3_600_000.0;
const DAY_MS: i64 = 86_400_000;

impl City {
    /// Plans the day that began at the last roster hour.
    pub(super) fn roster(&mut self) {
        let of_day_ms = self.local().of_day_ms;
        // Before the roster hour it is still the day before.
        let of_shift_day_ms = if of_day_ms < ROSTER_HOUR * 3_600_000 { of_day_ms + DAY_MS } else { of_day_ms };
        let weights = SHIFTS.map(|(_, weight)| weight);
        for rider in 0..self.riders.len() {
            let comes = self.chances.street.happens(self.figures.attendance);
            let shift = self.chances.street.weighted(&weights).unwrap_or(0);
            let [from_ms, to_ms] = SHIFTS[shift].0.map(|hour| hour * HOUR_MS - of_shift_day_ms as f64);
            if !comes || to_ms <= JITTER_MS || self.riders[rider].is_on_shift() {
                continue;
            }
            let ends_at = self.now.plus(Span(to_ms as i64));
            let start = Law::Uniform { from_ms: from_ms.max(0.0), to_ms: from_ms.max(0.0) + JITTER_MS };
            self.plan_task(start, Task::ShiftStart { rider, ends_at });
        }
        self.plan_task(self.local().until_hour(ROSTER_HOUR), Task::Roster);
    }

    pub(super) fn shift_start(&mut self, place: usize, ends_at: Timestamp) {
        let rider = &mut self.riders[place];
        if rider.is_on_shift() {
            return;
        }
        rider.doing = Doing::Idle;
        rider.is_leaving = false;
        rider.place = rider.home;
        self.tell_rider("rider.shift_started", place, None);
        self.plan_task(Law::Fixed { ms: ends_at.0 - self.now.0 }, Task::ShiftEnd(place));
        if !self.is_muted {
            // Telephones do not report in step.
            let every_ms = self.settings.ping_every.0 as f64;
            self.plan_task(Law::Uniform { from_ms: 0.0, to_ms: every_ms }, Task::Ping(place));
        }
    }

    /// Whoever still has something to deliver goes home afterwards.
    pub(super) fn shift_end(&mut self, rider: usize) {
        self.riders[rider].is_leaving = true;
        if self.riders[rider].doing == Doing::Idle {
            self.go_home(rider);
        }
    }

    pub(super) fn go_home(&mut self, rider: usize) {
        self.tell_rider("rider.shift_ended", rider, None);
        let rider = &mut self.riders[rider];
        assert!(rider.stops.is_empty(), "{} went home with {:?}", rider.id, rider.stops);
        rider.doing = Doing::Off;
        rider.turn += 1;
    }

    pub(super) fn ping(&mut self, rider: usize) {
        if self.riders[rider].is_on_shift() {
            self.tell_rider("rider.location", rider, None);
            self.plan_task(Law::Fixed { ms: self.settings.ping_every.0 }, Task::Ping(rider));
        }
    }
}
