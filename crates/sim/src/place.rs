//! Places in metres east and north of the city's corner, its districts, and where weather is measured. A district is a square;
//! ways follow the street grid, first one axis and then the other. Knows nothing of what moves.

use std::collections::BTreeSet;

use h3o::{LatLng, Resolution};

/// One side of a district, in metres: an hour's walk around, so that most orders cross one or two borders.
pub(crate) const DISTRICT_METRES: f64 = 1250.0;
/// Metres in a degree of latitude on a sphere of 6,371,008.8 m.
const DEGREE_METRES: f64 = 111_195.08;
/// The cells that areas of events are: weather is measured in the middle of each.
const CELL_RESOLUTION: Resolution = Resolution::Eight;
/// How finely the city is searched for cells, in metres. Cells of this resolution are about 900 m wide.
const SEARCH_METRES: f64 = 250.0;

/// Metres east and north of the city's south-west corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// A square of districts on the globe.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    latitude: f64,
    longitude: f64,
    /// Degrees of longitude shrink towards the poles.
    east_metres: f64,
    columns: usize,
    districts: usize,
}

impl Place {
    /// Metres along the streets.
    pub(crate) fn metres_to(self, other: Self) -> f64 {
        (self.x - other.x).abs() + (self.y - other.y).abs()
    }

    /// Where one is after so many metres along the streets.
    pub(crate) fn towards(self, other: Self, metres: f64) -> Self {
        let east = (other.x - self.x).clamp(-metres, metres);
        let left = metres - east.abs();
        let north = (other.y - self.y).clamp(-left, left);
        Self { x: self.x + east, y: self.y + north }
    }

    /// A share of the straight way.
    pub(crate) fn between(self, other: Self, share: f64) -> Self {
        Self { x: self.x + (other.x - self.x) * share, y: self.y + (other.y - self.y) * share }
    }
}

impl Plan {
    /// A plan around a middle. The districts fill a square row by row.
    pub(crate) fn new(latitude: f64, longitude: f64, districts: usize) -> Self {
        let columns = (1..).find(|columns| columns * columns >= districts).unwrap_or(1);
        let half = columns as f64 * DISTRICT_METRES / 2.0;
        let east_metres = DEGREE_METRES * libm::cos(latitude.to_radians());
        Self {
            latitude: latitude - half / DEGREE_METRES,
            longitude: longitude - half / east_metres,
            east_metres,
            columns,
            districts,
        }
    }

    /// One side of the whole square, in metres.
    pub(crate) fn side(&self) -> f64 {
        self.columns as f64 * DISTRICT_METRES
    }

    pub(crate) fn districts(&self) -> usize {
        self.districts
    }

    /// The district of a place; places outside belong to the nearest one.
    pub(crate) fn district(&self, place: Place) -> usize {
        let cell = |metres: f64| (metres / DISTRICT_METRES).clamp(0.0, (self.columns - 1) as f64) as usize;
        (cell(place.y) * self.columns + cell(place.x)).min(self.districts - 1)
    }

    /// A place in a district, by two shares of its sides.
    pub(crate) fn inside(&self, district: usize, east: f64, north: f64) -> Place {
        let (row, column) = (district / self.columns, district % self.columns);
        Place { x: (column as f64 + east) * DISTRICT_METRES, y: (row as f64 + north) * DISTRICT_METRES }
    }

    /// The districts that share a side with one.
    pub(crate) fn neighbours(&self, district: usize) -> impl Iterator<Item = usize> + use<> {
        let (columns, districts) = (self.columns, self.districts);
        let column = district % columns;
        let west = (column > 0).then(|| district - 1);
        let east = (column + 1 < columns).then_some(district + 1);
        let (south, north) = (district.checked_sub(columns), Some(district + columns));
        [west, east, south, north].into_iter().flatten().filter(move |other| *other < districts)
    }

    /// How far from the middle of the city a district lies: 0 in the middle, 1 in the corners.
    pub(crate) fn remoteness(&self, district: usize) -> f64 {
        let half = self.columns as f64 * DISTRICT_METRES / 2.0;
        self.inside(district, 0.5, 0.5).metres_to(Place { x: half, y: half }) / (2.0 * half)
    }

    /// Latitude and longitude with six digits, about 10 cm.
    pub(crate) fn degrees(&self, place: Place) -> (f64, f64) {
        let rounded = |degrees: f64| (degrees * 1e6).round() / 1e6;
        (rounded(self.latitude + place.y / DEGREE_METRES), rounded(self.longitude + place.x / self.east_metres))
    }

    /// The middle of every cell that the districts touch, with its district, in a fixed order.
    pub(crate) fn stations(&self) -> Vec<(Place, usize)> {
        let mut cells = BTreeSet::new();
        let steps = (DISTRICT_METRES / SEARCH_METRES) as usize;
        for district in 0..self.districts {
            for (east, north) in (0..=steps).flat_map(|east| (0..=steps).map(move |north| (east, north))) {
                let place = self.inside(district, east as f64 / steps as f64, north as f64 / steps as f64);
                let (latitude, longitude) = self.degrees(place);
                cells.extend(LatLng::new(latitude, longitude).ok().map(|at| at.to_cell(CELL_RESOLUTION)));
            }
        }
        let places = cells.into_iter().map(|cell| {
            let middle = LatLng::from(cell);
            let (north, east) = (middle.lat() - self.latitude, middle.lng() - self.longitude);
            Place { x: east * self.east_metres, y: north * DEGREE_METRES }
        });
        places.map(|place| (place, self.district(place))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_follow_the_grid() {
        let (from, to) = (Place { x: 100.0, y: 100.0 }, Place { x: 400.0, y: 0.0 });
        assert_eq!(from.metres_to(to), 400.0);
        assert_eq!(from.towards(to, 300.0), Place { x: 400.0, y: 100.0 });
        assert_eq!(from.towards(to, 350.0), Place { x: 400.0, y: 50.0 });
        assert_eq!(from.towards(to, 9999.0), to);
    }

    #[test]
    fn districts_tile_a_square() {
        let plan = Plan::new(52.52, 13.405, 7);
        for district in 0..7 {
            assert_eq!(plan.district(plan.inside(district, 0.5, 0.5)), district);
        }
        assert_eq!(plan.neighbours(4).collect::<Vec<_>>(), [3, 5, 1]);
        assert!(plan.remoteness(4) < plan.remoteness(0));
        let (latitude, longitude) = plan.degrees(plan.inside(4, 0.5, 0.5));
        assert!((latitude - 52.52).abs() < 1e-5 && (longitude - 13.405).abs() < 1e-5);
    }

    #[test]
    fn every_order_has_a_station_in_its_cell() {
        let plan = Plan::new(52.52, 13.405, 4);
        let cell = |place: Place| {
            let (latitude, longitude) = plan.degrees(place);
            LatLng::new(latitude, longitude).unwrap().to_cell(Resolution::Eight)
        };
        let cells: BTreeSet<_> = plan.stations().into_iter().map(|(place, _)| cell(place)).collect();
        for (east, north) in [(0.0, 0.0), (0.31, 0.77), (0.99, 0.5), (0.13, 0.01)] {
            assert!((0..4).all(|district| cells.contains(&cell(plan.inside(district, east, north)))), "{east} {north}");
        }
    }
}
