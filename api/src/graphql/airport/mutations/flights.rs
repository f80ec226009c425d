//! What operators know of flights.

use async_graphql::{Context, Error, Object};
use vigie_domain::airport::{
    AircraftType, AirportCode, AssignAircraft, CancelFlight, Carrier, Clock, Details, FlightId, Leg, LinkTurnaround,
    OPERATOR, ObserveFlight, Placement, Progress, ReinstateFlight,
};
use vigie_domain::support::SiteId;

use crate::graphql::airport::flight::Flight;
use crate::graphql::airport::inputs::{
    AssignAircraftInput, DetailsInput, FlightInput, LegInput, LinkTurnaroundInput, PlacementInput, ProgressInput,
    ReportFlightInput,
};
use crate::graphql::airport::refusals::Refused;
use crate::graphql::airport::results::{FlightPayload, FlightResult};
use crate::graphql::command::{Receipt, carry_out, note};
use crate::graphql::context::Parts;
use crate::graphql::error::{argument, optional};
use crate::graphql::models::{ALLOCATIONS, FLIGHTS};

/// Mutations of flights.
#[derive(Default)]
pub(crate) struct FlightMutation;

async fn done(ctx: &Context<'_>, receipt: Receipt, id: &FlightId) -> Result<FlightResult, Error> {
    let flight = if receipt.is_readable() { Flight::find(ctx, Some(id.to_string())).await? } else { None };
    Ok(FlightPayload { receipt, flight }.into())
}

fn leg(input: LegInput) -> Result<Leg, Error> {
    Ok(Leg {
        site: argument("input.leg.site", SiteId::new(&input.site))?,
        carrier: argument("input.leg.carrier", Carrier::new(&input.carrier))?,
        number: input.number,
        date: input.date,
        direction: input.direction.into(),
        airport: argument("input.leg.airport", AirportCode::new(&input.airport))?,
        ordinal: input.ordinal.unwrap_or(1),
    })
}

fn progress(input: Option<ProgressInput>) -> Progress {
    match input {
        None => Progress::Scheduled,
        Some(ProgressInput::Estimated(at)) => Progress::Estimated(at),
        Some(ProgressInput::Landed(at)) => Progress::Landed(at),
        Some(ProgressInput::Arrived(at)) => Progress::Arrived(at),
        Some(ProgressInput::Departed(at)) => Progress::Departed(at),
        Some(ProgressInput::Phase(phase)) => Progress::Phase(phase.into()),
    }
}

fn placement(input: PlacementInput) -> Placement {
    let PlacementInput { gate, belt, terminal, aisle, hall } = input;
    Placement { gate, belt, terminal, aisle, hall }
}

fn details(input: DetailsInput) -> Result<Details, Error> {
    let via = input.via.iter().map(|code| argument("input.details.via", AirportCode::new(code)));
    Ok(Details {
        operator: optional("input.details.operator", input.operator.as_deref(), Carrier::new)?,
        via: via.collect::<Result<_, _>>()?,
        codeshares: input.codeshares,
        cargo: input.cargo,
    })
}

#[Object]
impl FlightMutation {
    /// Reports a flight, or what has changed of it; the report says everything that is known.
    async fn report_flight(&self, ctx: &Context<'_>, input: ReportFlightInput) -> Result<FlightResult, Error> {
        let leg = leg(input.leg)?;
        let id = argument("input.leg", leg.id())?;
        let command = ObserveFlight {
            leg,
            scheduled_at: input.scheduled_at,
            details: details(input.details.unwrap_or_default())?,
            progress: progress(input.progress),
            placement: placement(input.placement.unwrap_or_default()),
            aircraft_type: optional("input.aircraftType", input.aircraft_type.as_deref(), AircraftType::new)?,
            clock: Clock {
                source: OPERATOR.to_owned(),
                observed_at: input.observed_at.unwrap_or(ctx.caller().asked_at),
            },
            confirmed_at: None,
        };
        match carry_out(ctx, command, input.command_id, &[FLIGHTS, ALLOCATIONS]).await? {
            Ok((receipt, _)) => done(ctx, receipt, &id).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// Cancels a flight; the stand that it holds becomes free.
    async fn cancel_flight(&self, ctx: &Context<'_>, input: FlightInput) -> Result<FlightResult, Error> {
        let id = argument("input.flight", FlightId::new(&input.flight))?;
        let command = CancelFlight { flight: id.clone(), note: note("input.note", input.note.as_deref())? };
        match carry_out(ctx, command, input.command_id, &[FLIGHTS, ALLOCATIONS]).await? {
            Ok((receipt, _)) => done(ctx, receipt, &id).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// Takes the cancellation of a flight back.
    async fn reinstate_flight(&self, ctx: &Context<'_>, input: FlightInput) -> Result<FlightResult, Error> {
        let id = argument("input.flight", FlightId::new(&input.flight))?;
        let command = ReinstateFlight { flight: id.clone(), note: note("input.note", input.note.as_deref())? };
        match carry_out(ctx, command, input.command_id, &[FLIGHTS]).await? {
            Ok((receipt, _)) => done(ctx, receipt, &id).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// Says which aircraft flies a flight.
    async fn assign_aircraft(&self, ctx: &Context<'_>, input: AssignAircraftInput) -> Result<FlightResult, Error> {
        let id = argument("input.flight", FlightId::new(&input.flight))?;
        let command = AssignAircraft {
            flight: id.clone(),
            aircraft_type: argument("input.aircraftType", AircraftType::new(&input.aircraft_type))?,
            registration: input.registration,
        };
        match carry_out(ctx, command, input.command_id, &[FLIGHTS]).await? {
            Ok((receipt, _)) => done(ctx, receipt, &id).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// Says that an arrival and a departure are flown by the same aircraft. Answers with the arrival.
    async fn link_turnaround(&self, ctx: &Context<'_>, input: LinkTurnaroundInput) -> Result<FlightResult, Error> {
        let arrival = argument("input.arrival", FlightId::new(&input.arrival))?;
        let departure = argument("input.departure", FlightId::new(&input.departure))?;
        let command = LinkTurnaround { arrival: arrival.clone(), departure };
        match carry_out(ctx, command, input.command_id, &[FLIGHTS]).await? {
            Ok((receipt, _)) => done(ctx, receipt, &arrival).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }
}
