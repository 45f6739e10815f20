/** How much may be spent, in USD, and in which period. */
export function LimitFields() {
  return (
    <div class="pair">
      <label>
        Limit in USD
        <input name="limit" type="number" min="0" step="any" placeholder="none" />
      </label>
      <label>
        Which is
        <select name="reset">
          <option value="monthly">for each month</option>
          <option value="weekly">for each week</option>
          <option value="daily">for each day</option>
          <option value="">in all</option>
        </select>
      </label>
    </div>
  )
}

/** The limit that was filled in; an empty field sets none. */
export function limitIn(given: FormData): object {
  const limit = String(given.get('limit') ?? '').trim()
  return limit === '' ? {} : { limit: Number(limit), limit_reset: String(given.get('reset') ?? '') || null }
}
