import * as z from 'zod'

/**
 * The directory of persistent data on this machine. It is created when it is first needed. A relative path starts at
 * the working directory. `DATA_DIR` takes precedence.
 */
export const dataDirectorySetting = z
  .string()
  .min(1)
  .max(4096)
  .meta({ expected: 'the path of a directory' })
  .exactOptional()

/** The default. */
export const defaultDataDirectory = 'data'
