import {
  type Adaptation,
  booleanLogprobsToInteger,
  developerToSystem,
  inTurn,
  stopToList,
} from '../openai/adaptations.ts'

/**
 * What Together needs to be said otherwise than OpenAI. Fields that it does not know it passes over, and so they are
 * left as they are.
 */
export const adaptForTogether: Adaptation = inTurn([developerToSystem, stopToList, booleanLogprobsToInteger])
