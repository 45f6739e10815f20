import { Failure } from '../../core/model/failure.ts'
import type { Blocker } from '../../core/model/shared/state.ts'
import type { Shortage } from '../../core/model/tenant.ts'
import type { Applied } from '../desk.ts'
import type { BudgetTerms } from '../settings.ts'
import { shownUsd } from '../usd.ts'
import { type Budget, titleOf } from './budget.ts'

/** Why there is no room, and what would fit. `blockers` is never empty; `own` is what the call itself holds. */
export function shortageOf(
  blockers: readonly Blocker[],
  applied: readonly Applied[],
  terms: Pick<BudgetTerms, 'status'>,
  own: (counter: string) => number,
): Shortage {
  const met = blockers.flatMap((blocker) => {
    const of = applied.find(({ counter }) => counter === blocker.counter)
    return of === undefined ? [] : [{ blocker, of, ownNanoUsd: own(blocker.counter) }]
  })
  const [first] = met.toSorted((one, other) => openAt(other) - openAt(one))
  if (first === undefined) throw new TypeError('What blocks a hold is one of its own budgets.')
  const ofProviders = met.every(({ of }) => of.budget.rule.providers.length > 0)
  return {
    failure: failureOf(first, terms),
    roomNanoUsd: Math.min(...met.map(({ blocker, of }) => Math.max(0, roomOf(blocker, of)))),
    providers: ofProviders ? met.flatMap(({ of }) => of.budget.rule.providers) : [],
  }
}

/** What a refused call names as its limit. */
export function limitNameOf({ id }: Pick<Budget, 'id'>): string {
  return `budget/${safe(id)}`
}

type Met = { readonly blocker: Blocker; readonly of: Applied; readonly ownNanoUsd: number }

/** Of several blockers, the one that resets last is reported. */
function openAt(met: Met): number {
  return isHeldOnly(met) ? 0 : met.of.window.endMs
}

function roomOf({ spentNanoUsd, heldNanoUsd, uncertainNanoUsd }: Blocker, { limitNanoUsd }: Applied): number {
  return limitNanoUsd - spentNanoUsd - heldNanoUsd - uncertainNanoUsd
}

/** It would fit if other calls returned what they hold. */
function isHeldOnly({ blocker, of, ownNanoUsd }: Met): boolean {
  const { spentNanoUsd, uncertainNanoUsd, wantedNanoUsd } = blocker
  return spentNanoUsd + uncertainNanoUsd + ownNanoUsd + wantedNanoUsd <= of.limitNanoUsd
}

function failureOf(met: Met, { status }: Pick<BudgetTerms, 'status'>): Failure {
  const { of } = met
  const headers = { 'x-pandotate-limit': limitNameOf(of.budget) }
  if (isHeldOnly(met)) {
    const message = `${stateOf(met)} Running calls hold the rest: try again shortly.`
    return new Failure('limit_reached', message, { headers, retryAfterMs: heldWaitMs })
  }
  const message = `${stateOf(met)} ${advice(met)}`
  return new Failure('quota_exhausted', message, {
    headers: { ...headers, 'x-should-retry': 'false' },
    shown: { status },
  })
}

const heldWaitMs = 1000

function stateOf({ blocker, of }: Met): string {
  const { spentNanoUsd, heldNanoUsd, uncertainNanoUsd, wantedNanoUsd } = blocker
  const amounts = [
    `limit ${shownUsd(of.limitNanoUsd)}`,
    `spent ${shownUsd(spentNanoUsd)}`,
    `held ${shownUsd(heldNanoUsd)}`,
    `uncertain ${shownUsd(uncertainNanoUsd)}`,
  ].join(', ')
  const needs = `this call may cost up to ${shownUsd(wantedNanoUsd)}`
  return `Budget ${JSON.stringify(titleOf(of.budget))} has no room for this call: ${amounts}; ${needs}.`
}

function advice({ blocker, of: { window, limitNanoUsd } }: Met): string {
  const opens =
    window.endMs === Number.POSITIVE_INFINITY
      ? 'It does not reset by itself.'
      : `It resets at ${new Date(window.endMs).toISOString().replace('.000Z', 'Z')}.`
  const left = limitNanoUsd - blocker.spentNanoUsd - blocker.uncertainNanoUsd
  return left > 0 ? `${opens} A lower max_tokens may fit.` : opens
}

/** Headers may hold no other characters. */
export function safe(name: string): string {
  return name.replace(/[^\w.:/@*+~-]/g, '_').slice(0, 128)
}
