"""When the sun rises and sets at a place: the almanac's equations, good to a minute or two. Pure."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

HORIZON = 0.833
"""Degrees that the sun's centre is below the horizon when its edge appears: half its width, and the bent light."""

EARTH = 6_371_000.0
"""Metres to the middle of it: from high above the sea one sees beyond the horizon."""


@dataclass(frozen=True, slots=True)
class SunTimes:
    """None where the sun stays up, or down, all day."""

    rising: datetime | None
    setting: datetime | None


def sun_times(day: date, latitude: float, longitude: float, elevation: float, zone: tzinfo | None) -> SunTimes:
    """Sunrise and sunset of a local day."""
    noon = datetime.combine(day, time(12), zone).astimezone(UTC)
    rising = _crossing(noon, latitude, longitude, elevation, -1)
    setting = _crossing(noon, latitude, longitude, elevation, 1)
    return SunTimes(*(when and when.astimezone(zone) for when in (rising, setting)))


def _crossing(noon: datetime, latitude: float, longitude: float, elevation: float, side: int) -> datetime | None:
    """When the sun crosses the horizon, before (-1) or after (1) noon; each round takes up what it moved meanwhile."""
    when: datetime | None = noon
    for _ in range(3):
        if when is None:
            return None
        declination, equation = _position(when)
        minutes = _half_day(latitude, declination, elevation)
        if minutes is None:
            return None
        transit = _transit(noon, longitude, equation)
        when = transit + timedelta(minutes=side * minutes)
    return when


def _transit(noon: datetime, longitude: float, equation: float) -> datetime:
    """When the sun stands highest, on the local day that has this noon."""
    midnight = noon.replace(hour=0, minute=0, second=0, microsecond=0)
    transit = midnight + timedelta(minutes=720 - 4 * longitude - equation)
    days = round((noon - transit) / timedelta(days=1))
    return transit + timedelta(days=days)


def _position(when: datetime) -> tuple[float, float]:
    """The sun's declination in radians, and by how many minutes it is ahead of the clock."""
    centuries = (when - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=36525)
    mean_longitude = math.radians((280.46646 + centuries * (36000.76983 + centuries * 0.0003032)) % 360)
    anomaly = math.radians(357.52911 + centuries * (35999.05029 - 0.0001537 * centuries))
    eccentricity = 0.016708634 - centuries * (0.000042037 + 0.0000001267 * centuries)
    centre = (
        math.sin(anomaly) * (1.914602 - centuries * (0.004817 + 0.000014 * centuries))
        + math.sin(2 * anomaly) * (0.019993 - 0.000101 * centuries)
        + math.sin(3 * anomaly) * 0.000289
    )
    node = math.radians(125.04 - 1934.136 * centuries)
    longitude = mean_longitude + math.radians(centre - 0.00569 - 0.00478 * math.sin(node))
    tilt = math.radians(23.43929 - 0.01300417 * centuries + 0.00256 * math.cos(node))
    declination = math.asin(math.sin(tilt) * math.sin(longitude))
    half = math.tan(tilt / 2) ** 2
    equation = 4 * math.degrees(
        half * math.sin(2 * mean_longitude)
        - 2 * eccentricity * math.sin(anomaly)
        + 4 * eccentricity * half * math.sin(anomaly) * math.cos(2 * mean_longitude)
        - 0.5 * half * half * math.sin(4 * mean_longitude)
        - 1.25 * eccentricity**2 * math.sin(2 * anomaly)
    )
    return declination, equation


def _half_day(latitude: float, declination: float, elevation: float) -> float | None:
    """Minutes from noon to the horizon; None where it is not reached."""
    dip = math.degrees(math.acos(EARTH / (EARTH + max(0.0, elevation))))
    height = math.radians(-HORIZON - dip)
    place = math.radians(latitude)
    if abs(math.cos(place)) < 1e-9:
        return None
    cosine = (math.sin(height) - math.sin(place) * math.sin(declination)) / (math.cos(place) * math.cos(declination))
    return 4 * math.degrees(math.acos(cosine)) if -1 <= cosine <= 1 else None
