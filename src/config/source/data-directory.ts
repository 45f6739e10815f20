import * as z from 'zod'

/**
 * Where the gateway keeps what is to outlast it, on this machine. It is made when there is something to keep; a
 * relative path is taken from the directory the gateway was started in. `DATA_DIR` wins.
 */
export const dataDirectorySetting = z
  .string()
  .min(1)
  .max(4096)
  .meta({ expected: 'the path of a directory' })
  .exactOptional()

/** Where nothing is set. */
export const defaultDataDirectory = 'data'
