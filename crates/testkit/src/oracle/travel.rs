//! The length of a way along positions.

/// Of the sphere, in metres.
const RADIUS: f64 = 6_371_008.8;

/// Metres along positions in degrees, each leg being rounded to whole millimetres.
pub(crate) fn length(positions: &[(f64, f64)]) -> f64 {
    let mut millimetres: i64 = 0;
    for leg in positions.windows(2) {
        // `round` takes halves away from zero.
        millimetres += (distance(leg[0], leg[1]) * 1000.0).round() as i64;
    }
    millimetres as f64 / 1000.0
}

/// The haversine great circle, each product from left to right with the square as one factor.
fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (latitude_1, longitude_1) = (from.0.to_radians(), from.1.to_radians());
    let (latitude_2, longitude_2) = (to.0.to_radians(), to.1.to_radians());
    let half_latitude = libm::sin((latitude_2 - latitude_1) / 2.0);
    let half_longitude = libm::sin((longitude_2 - longitude_1) / 2.0);
    let a = half_latitude * half_latitude + libm::cos(latitude_1) * libm::cos(latitude_2) * (half_longitude * half_longitude);
    2.0 * RADIUS * libm::asin(libm::sqrt(a.min(1.0)))
}
