//! Writing where work items are found.

use crate::{
    Backend, Error, WorkItemRow, WorkLink, WorkPlace,
    sql::{Insert, InsertNew},
};
use sqlx::{AnyConnection, Row as _};

/// The statements of work items.
#[derive(Debug)]
pub(super) struct Statements {
    places: Insert<WorkPlace>,
    links: InsertNew<WorkLink>,
}

impl Statements {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            places: Insert::new(backend),
            links: InsertNew::new(backend),
        }
    }

    /// Puts the newest version of a work item where it is found. The record is written already.
    pub(super) async fn write(
        &self,
        connection: &mut AnyConnection,
        row: &WorkItemRow,
    ) -> Result<(), Error> {
        let place = WorkPlace::from(row);
        match place.version {
            1 => self.places.run(connection, &[&place]).await?,
            _ => self.advance(connection, &place).await?,
        }
        for target in &row.unlinked {
            unlink(connection, &place, target).await?;
        }
        let link = |target: &String| WorkLink {
            target: target.clone(),
            tenant: place.tenant.clone(),
            item: place.id.clone(),
        };
        let links: Vec<WorkLink> = row.linked.iter().map(link).collect();
        let links: Vec<&WorkLink> = links.iter().collect();
        self.links.run(connection, &links).await?;
        Ok(())
    }

    async fn advance(
        &self,
        connection: &mut AnyConnection,
        place: &WorkPlace,
    ) -> Result<(), Error> {
        let text = "UPDATE work_items
            SET version = $1, queue = $2, state = $3, assignee = $4, urgency = $5, subject = $6
            WHERE id = $7 AND tenant = $8 AND kind = $9 AND version = $10";
        let updated = sqlx::query(text)
            .bind(place.version)
            .bind(place.queue.as_str())
            .bind(i16::from(place.state))
            .bind(place.assignee.as_str())
            .bind(place.urgency)
            .bind(place.subject.as_str())
            .bind(place.id.as_str())
            .bind(place.tenant.as_str())
            .bind(place.kind.as_str())
            .bind(place.version - 1)
            .execute(&mut *connection)
            .await?;
        match updated.rows_affected() {
            1 => Ok(()),
            _ => self.restore(connection, place).await,
        }
    }

    /// Puts a version where it is found although the one before it was not found there. Its record is
    /// written already, so that nobody else writes the same version; the one before it has to be one.
    async fn restore(
        &self,
        connection: &mut AnyConnection,
        place: &WorkPlace,
    ) -> Result<(), Error> {
        let conflict = || Error::conflict("the version before it is not the newest");
        let before = WorkPlace {
            version: place.version - 1,
            ..place.clone()
        };
        let known = "SELECT COUNT(*) FROM records WHERE record = $1 AND tenant = $2";
        let known = sqlx::query(known)
            .bind(before.record())
            .bind(place.tenant.as_str())
            .fetch_one(&mut *connection)
            .await?;
        if known.try_get::<i64, _>(0)? == 0 {
            return Err(conflict());
        }
        let gone =
            "DELETE FROM work_items WHERE id = $1 AND tenant = $2 AND kind = $3 AND version < $4";
        sqlx::query(gone)
            .bind(place.id.as_str())
            .bind(place.tenant.as_str())
            .bind(place.kind.as_str())
            .bind(place.version)
            .execute(&mut *connection)
            .await?;
        self.places.run(connection, &[place]).await
    }
}

async fn unlink(
    connection: &mut AnyConnection,
    place: &WorkPlace,
    target: &str,
) -> Result<(), Error> {
    let text = "DELETE FROM work_links WHERE target = $1 AND tenant = $2 AND item = $3";
    sqlx::query(text)
        .bind(target)
        .bind(place.tenant.as_str())
        .bind(place.id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
