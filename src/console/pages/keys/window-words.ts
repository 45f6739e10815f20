/** The windows of budgets in words, after an amount. */
export const windowWords: Readonly<Record<string, string>> = {
  day: 'for each day',
  week: 'for each week',
  month: 'for each month',
  quarter: 'for each quarter',
  year: 'for each year',
  total: 'in all',
}
