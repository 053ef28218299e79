//! Looking for decisions that name something, from the newest on.

use super::{BLOCK, Block, Mention, named};
use crate::{DecisionQuery, Engine, Error};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{COUNTED_MAX, DecisionFilter, DecisionSpan, DecisionsFound, MentionsRow};
use std::collections::VecDeque;

/// Blocks read at a time.
const BLOCKS_READ: u32 = 16;

/// A look for decisions of a tenant. What one question may look at are so many decisions that are
/// named, a tenth of that in no block yet, and a hundredth of it in blocks: two millions of decisions
/// for 200,000.
pub(super) struct Looking<'e> {
    engine: &'e Engine,
    tenant: &'e TenantId,
    /// One of each of these.
    wanted: Vec<Vec<u64>>,
    /// Nothing up to here is asked for.
    after: i64,
    /// Everything from here on was looked at.
    place: i64,
    /// The number of the last decision in a block.
    end: i64,
    blocks: VecDeque<MentionsRow>,
    blocks_left: u32,
    loose_left: u32,
    found_left: u32,
}

impl Engine {
    /// A page of decisions that name what a query asks for.
    pub(crate) async fn mentioned(
        &self,
        tenant: &TenantId,
        query: &DecisionQuery,
    ) -> Result<DecisionsFound, Error> {
        let filter = self.database.numbered(tenant, &query.filter).await?;
        let mut looking = self.looking(tenant, (&filter, &query.mentions)).await?;
        let mut rows = Vec::new();
        while let Some(numbers) = looking.next().await? {
            let left = query.limit.saturating_sub(rows.len() as u32);
            let among = among(&filter, numbers);
            let page = self.database.decisions_page(tenant, &among, left).await?;
            rows.extend(page.rows);
            if rows.len() >= query.limit as usize {
                let next = rows.last().map(|row| row.event_no);
                return Ok(DecisionsFound {
                    rows,
                    next,
                    looked_back_to: None,
                });
            }
        }
        let end = looking.stopped_at().await?;
        Ok(DecisionsFound {
            rows,
            next: end.map(|(place, _)| place),
            looked_back_to: end.map(|(_, at)| at),
        })
    }

    /// How many decisions name what a query asks for, at most [`COUNTED_MAX`], among those that one
    /// question looks at.
    pub(crate) async fn mentioned_count(
        &self,
        tenant: &TenantId,
        query: &DecisionQuery,
    ) -> Result<u64, Error> {
        let filter = self.database.numbered(tenant, &query.filter).await?;
        let mut looking = self.looking(tenant, (&filter, &query.mentions)).await?;
        let (mut count, most) = (0, u64::from(COUNTED_MAX));
        while count < most
            && let Some(numbers) = looking.next().await?
        {
            let among = among(&filter, numbers);
            count += self.database.decisions_counted(tenant, &among).await?;
        }
        Ok(count.min(most))
    }

    /// The decisions that name what a query asks for in parts, and when they were made.
    pub(crate) async fn mentioned_span(
        &self,
        tenant: &TenantId,
        query: &DecisionQuery,
    ) -> Result<Option<(DecisionSpan, Vec<DecisionFilter>)>, Error> {
        let filter = self.database.numbered(tenant, &query.filter).await?;
        let mut looking = self.looking(tenant, (&filter, &query.mentions)).await?;
        let mut parts = Vec::new();
        while let Some(numbers) = looking.next().await? {
            parts.push(among(&filter, numbers));
        }
        let end = looking.stopped_at().await?.map(|(_, at)| at);
        let newest = parts.first().and_then(|part| part.numbers.first());
        let oldest = parts.last().and_then(|part| part.numbers.last());
        let (from, to) = match newest.zip(oldest) {
            Some((newest, oldest)) => (
                self.decided_at(tenant, *oldest).await?,
                self.decided_at(tenant, *newest).await?,
            ),
            None => (end, end),
        };
        let from = end.or(from);
        let span = from.zip(to).map(|(from, to)| DecisionSpan {
            filter,
            from,
            to,
            is_cut: end.is_some(),
        });
        Ok(span.map(|span| (span, parts)))
    }

    async fn decided_at(&self, tenant: &TenantId, number: i64) -> Result<Option<Timestamp>, Error> {
        let between = (number - 1, number + 1);
        Ok(self.database.decided_last(tenant, between).await?)
    }

    /// Between the numbers of a filter.
    async fn looking<'e>(
        &'e self,
        tenant: &'e TenantId,
        (filter, mentions): (&DecisionFilter, &[Vec<Mention>]),
    ) -> Result<Looking<'e>, Error> {
        let most = self.database.looked_at_max();
        let number = |mention: &Mention| mention.number(&self.hasher, tenant);
        let wanted = mentions
            .iter()
            .map(|any| any.iter().map(number).collect())
            .collect();
        Ok(Looking {
            engine: self,
            tenant,
            wanted,
            after: filter.after.unwrap_or(0),
            place: filter.before.unwrap_or(i64::MAX),
            end: self.database.mentions_end(tenant).await?,
            blocks: VecDeque::new(),
            blocks_left: most.div_ceil(100),
            loose_left: most.div_ceil(10),
            found_left: most,
        })
    }
}

/// A filter among decisions with some numbers.
fn among(filter: &DecisionFilter, numbers: Vec<i64>) -> DecisionFilter {
    DecisionFilter {
        numbers,
        ..filter.clone()
    }
}

impl Looking<'_> {
    /// The next numbers of decisions, the last first, at most 1,000; nothing at the end of what is
    /// asked for or of what one question looks at.
    async fn next(&mut self) -> Result<Option<Vec<i64>>, Error> {
        while self.place > self.after.saturating_add(1) && self.found_left > 0 {
            let numbers = match self.place > self.end.saturating_add(1) {
                true => self.loose().await?,
                false => self.block().await?,
            };
            let Some(numbers) = numbers else {
                return Ok(None);
            };
            if !numbers.is_empty() {
                let found = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                self.found_left = self.found_left.saturating_sub(found);
                return Ok(Some(numbers));
            }
        }
        Ok(None)
    }

    /// Looks at decisions that are in no block yet.
    async fn loose(&mut self) -> Result<Option<Vec<i64>>, Error> {
        let limit = self.loose_left.min(BLOCK);
        if limit == 0 {
            return Ok(None);
        }
        let (database, tenant) = (&self.engine.database, self.tenant);
        let floor = self.end.max(self.after);
        let between = (floor, self.place);
        let rows = database.mentioning(tenant, between, limit).await?;
        self.loose_left -= limit;
        self.place = match rows.last() {
            Some(last) if rows.len() == limit as usize => last.event_no,
            _ => floor + 1,
        };
        let mut numbers = Vec::new();
        for row in &rows {
            let named = named(row, &self.engine.hasher, tenant)?;
            let holds = |any: &Vec<u64>| any.iter().any(|name| named.contains(name));
            if self.wanted.iter().all(holds) {
                numbers.push(row.event_no);
            }
        }
        Ok(Some(numbers))
    }

    /// Looks into the next block.
    async fn block(&mut self) -> Result<Option<Vec<i64>>, Error> {
        if self.blocks_left == 0 {
            return Ok(None);
        }
        if self.blocks.is_empty() {
            let (database, tenant) = (&self.engine.database, self.tenant);
            let blocks = database.mentions_back(tenant, self.place, BLOCKS_READ);
            self.blocks.extend(blocks.await?);
        }
        let Some(block) = self.blocks.pop_front() else {
            self.place = self.after;
            return Ok(None);
        };
        self.blocks_left -= 1;
        let mut numbers = Block::decode(&block.content)?.naming(&self.wanted);
        numbers.retain(|number| *number > self.after && *number < self.place);
        self.place = block.first;
        Ok(Some(numbers))
    }

    /// Where one question ended before all was looked at: the number from which on it was, and when
    /// the decision before that was made.
    async fn stopped_at(&self) -> Result<Option<(i64, Timestamp)>, Error> {
        let (database, tenant) = (&self.engine.database, self.tenant);
        if self.place <= self.after.saturating_add(1) {
            return Ok(None);
        }
        let at = database
            .decided_last(tenant, (self.after, self.place))
            .await?;
        Ok(at.map(|at| (self.place, at)))
    }
}
