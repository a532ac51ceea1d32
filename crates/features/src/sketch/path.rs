//! The way along positions, in whole millimetres.
//!
//! Legs are rounded one by one and summed as integers, so the length depends on the set of positions only. An open path keeps
//! its positions; a sealed one, to which nothing can be added any more, its ends and its length.

use std::cmp::Ordering;

use crate::codec::{Broken, Reader, Writer};

const RADIUS_METRES: f64 = 6_371_008.8;

/// Units per degree of latitude and of longitude.
pub(crate) type Scale = (f64, f64);

/// Where something was, in units of the declared steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) time: i64,
    pub(crate) identity: u128,
    pub(crate) latitude: i64,
    pub(crate) longitude: i64,
}

/// Positions of one tile, or the ends of the merged ones of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path {
    /// In the order of (time, identity), without repetition; only the ends when sealed.
    points: Vec<Point>,
    length_mm: i64,
    sealed: bool,
}

impl Path {
    /// Adds a position to an open path.
    pub(crate) fn add(&mut self, point: Point, scale: Scale) {
        let Err(at) = self.points.binary_search_by(|other| order(other, &point)) else { return };
        let leg = |from: Option<&Point>, to: Option<&Point>| from.zip(to).map_or(0, |(from, to)| leg_mm(from, to, scale));
        let (before, after) = (at.checked_sub(1).and_then(|at| self.points.get(at)), self.points.get(at));
        self.length_mm = self.length_mm.saturating_add(leg(before, Some(&point)) + leg(Some(&point), after) - leg(before, after));
        self.points.insert(at, point);
    }

    /// Adds the positions of an open path to an open path.
    pub(crate) fn merge(&mut self, other: &Self, scale: Scale) {
        other.points.iter().for_each(|point| self.add(*point, scale));
    }

    /// Puts a path that lies wholly before this one in front of it. The result is sealed.
    pub(crate) fn join_older(&mut self, older: &Self, scale: Scale) {
        match (older.points.last(), self.points.first()) {
            (None, _) => return,
            (Some(_), None) => self.clone_from(older),
            (Some(from), Some(to)) => {
                self.length_mm = self.length_mm.saturating_add(older.length_mm).saturating_add(leg_mm(from, to, scale));
                self.points.insert(0, older.points[0]);
            }
        }
        self.seal();
    }

    /// Keeps the ends and the length only.
    pub(crate) fn seal(&mut self) {
        if self.points.len() > 2 {
            self.points = vec![self.points[0], self.points[self.points.len() - 1]];
        }
        self.sealed = true;
    }

    /// Whether nothing can be added any more.
    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed
    }

    pub(crate) fn length_mm(&self) -> i64 {
        self.length_mm
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.points.capacity() * size_of::<Point>()
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.count(self.points.len());
        out.varint(self.length_mm.cast_unsigned() << 1 | u64::from(self.sealed));
        for point in &self.points {
            out.signed(point.time);
            out.identity(point.identity);
            out.signed(point.latitude);
            out.signed(point.longitude);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let count = reader.count(40)?;
        let length = reader.varint()?;
        let point = |reader: &mut Reader<'_>| -> Result<Point, Broken> {
            let (time, identity) = (reader.signed()?, reader.identity()?);
            Ok(Point { time, identity, latitude: reader.signed()?, longitude: reader.signed()? })
        };
        let points = (0..count).map(|_| point(reader)).collect::<Result<Vec<Point>, Broken>>()?;
        let ascending = points.windows(2).all(|pair| order(&pair[0], &pair[1]) == Ordering::Less);
        let path = Self { points, length_mm: (length >> 1).cast_signed(), sealed: length & 1 == 1 };
        if ascending { Ok(path) } else { Err(Broken("positions out of order")) }
    }
}

fn order(one: &Point, other: &Point) -> Ordering {
    (one.time, one.identity).cmp(&(other.time, other.identity))
}

/// The great circle between two positions on a sphere.
fn leg_mm(from: &Point, to: &Point, scale: Scale) -> i64 {
    let radians = |units: i64, scale: f64| (units as f64 / scale).to_radians();
    let (lat_from, lat_to) = (radians(from.latitude, scale.0), radians(to.latitude, scale.0));
    let (lon_from, lon_to) = (radians(from.longitude, scale.1), radians(to.longitude, scale.1));
    let (half_lat, half_lon) = (libm::sin((lat_to - lat_from) / 2.0), libm::sin((lon_to - lon_from) / 2.0));
    let a = half_lat * half_lat + libm::cos(lat_from) * libm::cos(lat_to) * (half_lon * half_lon);
    let metres = 2.0 * RADIUS_METRES * libm::asin(libm::sqrt(a.min(1.0)));
    libm::round(metres * 1000.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE: (f64, f64) = (1e6, 1e6);

    fn point(time: i64, latitude: i64) -> Point {
        Point { time, identity: 0, latitude, longitude: 11_000_000 }
    }

    fn path(points: &[Point]) -> Path {
        points.iter().fold(Path::default(), |mut path, point| {
            path.add(*point, SCALE);
            path
        })
    }

    #[test]
    fn a_degree_along_a_meridian_is_111_km() {
        assert_eq!(path(&[point(2, 49_000_000), point(1, 48_000_000)]).length_mm(), 111_195_080);
    }

    #[test]
    fn order_of_coming_sealing_and_joining_do_not_change_the_length() {
        let points: Vec<Point> = (0..9).map(|step| point(step, 48_000_000 + step * step * 1000)).collect();
        let backwards: Vec<Point> = points.iter().rev().copied().collect();
        let outside_in: Vec<Point> = (0..9).map(|at| points[if at % 2 == 0 { at / 2 } else { 8 - at / 2 }]).collect();
        let whole = path(&points);
        assert_eq!((&path(&backwards), &path(&outside_in)), (&whole, &whole));
        let mut parts: Vec<Path> = points.chunks(3).map(path).collect();
        parts[1].seal();
        let mut joined = Path::default();
        parts.iter().rev().for_each(|part| joined.join_older(part, SCALE));
        assert_eq!(joined.length_mm(), whole.length_mm());
    }
}
