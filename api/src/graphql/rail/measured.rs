//! Cars, springs and limits, as they are answered.

use std::collections::HashMap;

use async_graphql::{ComplexObject, Context, Enum, Error, SimpleObject};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::FromRow;
use sqlx::types::Json;

use crate::graphql::audit::{Provenance, Table};
use crate::graphql::context::Parts;
use crate::graphql::load::grouped;
use crate::graphql::loader::{Load, Loader};
use crate::graphql::snapshot::{Snapshot, unreadable};

/// How far a measurement can be trusted, as the camera system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum Quality {
    /// As it should be.
    Good,
    /// Judged, with doubt.
    Suspect,
    /// Not judged.
    Bad,
}

/// How far out of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum Level {
    /// Beyond a warning bound.
    Warning,
    /// Beyond an alarm bound.
    Alarm,
}

/// A car of a pass.
#[derive(Debug, Clone, FromRow, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Car {
    #[graphql(skip)]
    pass: String,
    /// Place in the train, from 1.
    #[graphql(name = "number")]
    car: i32,
    /// The vehicle's number, if it was read.
    vehicle: Option<String>,
    /// The camera.
    camera: String,
    /// Version of the limits that it was judged by.
    limits_version: Option<i32>,
    /// Readings out of limits.
    out_of_limits: i32,
    /// The worst of them.
    worst_level: Option<Level>,
    #[graphql(skip)]
    position: i64,
}

#[ComplexObject]
impl Car {
    /// Why it is what it is: the events that measured it, and what lies behind the last of them.
    async fn provenance(&self) -> Provenance {
        Provenance::of(&Table::CARS, [self.pass.clone(), self.car.to_string()], self.position)
    }

    /// What was measured of its springs.
    async fn springs(&self, ctx: &Context<'_>) -> Result<Vec<Spring>, Error> {
        let loader: &Loader<SpringsOfCar> = ctx.loader();
        Ok(loader.one((self.pass.clone(), self.car)).await?.unwrap_or_default())
    }
}

/// One quantity of one spring.
#[derive(Debug, Clone, FromRow, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Spring {
    #[graphql(skip)]
    pass: String,
    #[graphql(skip)]
    car: i32,
    /// Place in the car, as the camera system names it.
    spring: String,
    /// What was measured.
    quantity: String,
    /// Its unit.
    unit: String,
    /// How much.
    value: f64,
    /// How far it can be trusted.
    quality: Quality,
    /// How far out of limits; null within them, or when it was not judged.
    level: Option<Level>,
    /// The bound that was passed.
    bound: Option<f64>,
    #[graphql(skip)]
    position: i64,
}

#[ComplexObject]
impl Spring {
    /// Why it is what it is: the events that measured it or judged it, and what lies behind the last of them.
    async fn provenance(&self) -> Provenance {
        let key = [self.pass.clone(), self.car.to_string(), self.spring.clone(), self.quantity.clone()];
        Provenance::of(&Table::SPRINGS, key, self.position)
    }
}

/// Loads the cars of passes.
pub(super) struct CarsOfPass(pub(super) Snapshot);

impl Load for CarsOfPass {
    type Key = String;
    type Value = Vec<Car>;

    async fn load(&self, passes: &[String]) -> Result<HashMap<String, Vec<Car>>, Error> {
        let view = self.0.view();
        let mut sql = view.sql("select * from ");
        sql.push(view.rows("cars")).push(" where pass = any(").push_bind(passes).push(") order by pass, car");
        let mut reading = self.0.read().await?;
        let cars: Vec<Car> = sql.build_query_as().fetch_all(reading.connection()).await.map_err(unreadable)?;
        Ok(grouped(cars, |car| car.pass.clone()))
    }
}

/// Loads the springs of cars.
pub(super) struct SpringsOfCar(pub(super) Snapshot);

impl Load for SpringsOfCar {
    type Key = (String, i32);
    type Value = Vec<Spring>;

    async fn load(&self, cars: &[(String, i32)]) -> Result<HashMap<(String, i32), Vec<Spring>>, Error> {
        let (passes, numbers): (Vec<&str>, Vec<i32>) = cars.iter().map(|(pass, car)| (pass.as_str(), *car)).unzip();
        let view = self.0.view();
        let mut sql = view.sql("select springs.* from unnest(");
        sql.push_bind(passes).push("::text[], ").push_bind(numbers).push("::int[]) wanted (pass, car) join ");
        sql.push(view.rows("springs")).push(" using (pass, car)");
        sql.push(" order by springs.pass, springs.car, springs.spring, springs.quantity");
        let mut reading = self.0.read().await?;
        let springs: Vec<Spring> = sql.build_query_as().fetch_all(reading.connection()).await.map_err(unreadable)?;
        Ok(grouped(springs, |spring| (spring.pass.clone(), spring.car)))
    }
}

/// The bounds of one quantity. A value on a bound is within it.
#[derive(Debug, Clone, Deserialize, SimpleObject)]
pub(crate) struct Limit {
    /// What is measured.
    quantity: String,
    /// The unit of the bounds.
    unit: String,
    /// Below this is an alarm.
    alarm_low: Option<f64>,
    /// Below this is a warning.
    warning_low: Option<f64>,
    /// Above this is a warning.
    warning_high: Option<f64>,
    /// Above this is an alarm.
    alarm_high: Option<f64>,
}

/// A row of `read.spring_limits`.
#[derive(Debug, Clone, FromRow)]
pub(super) struct LimitsRow {
    site: String,
    position: i64,
    version: i32,
    valid_from: DateTime<Utc>,
    limits: Json<Vec<Limit>>,
}

/// The limits by which a site judges springs.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Limits {
    #[graphql(skip)]
    site: String,
    #[graphql(skip)]
    position: i64,
    /// Counts the site's limits.
    version: i32,
    /// Passes from this time on are judged by them.
    valid_from: DateTime<Utc>,
    /// One per quantity.
    limits: Vec<Limit>,
}

impl From<LimitsRow> for Limits {
    fn from(row: LimitsRow) -> Self {
        Self {
            site: row.site,
            position: row.position,
            version: row.version,
            valid_from: row.valid_from,
            limits: row.limits.0,
        }
    }
}

#[ComplexObject]
impl Limits {
    /// Why they are what they are: the event that set them, and its command.
    async fn provenance(&self) -> Provenance {
        Provenance::of(&Table::LIMITS, [self.site.clone(), self.version.to_string()], self.position)
    }
}
