// Checks of the service's errors.
import assert from 'node:assert/strict'
import { CommerceLayerStatic } from 'sdk-7'

/** Checks that a call fails with an ApiError with this status and these errors, and returns it. */
export async function refused(call, status, ...errors) {
  const error = await Promise.resolve(call).then(
    (answer) => assert.fail(`not refused: ${JSON.stringify(answer)}`),
    (error) => error,
  )
  assert.ok(CommerceLayerStatic.isApiError(error), `an ApiError: ${error.stack}`)
  assert.deepEqual([error.name, error.type, error.status, error.code], ['ApiError', 'response', status, String(status)])
  assert.equal(error.errors.length, errors.length, JSON.stringify(error.errors))
  for (const [index, expected] of errors.entries()) {
    const found = error.errors[index]
    assert.equal(found.status, String(status))
    assert.ok(found.title && found.detail, JSON.stringify(found))
    for (const [member, value] of Object.entries(expected)) assert.deepEqual(found[member], value, member)
  }
  assert.deepEqual(error.first(), error.errors[0])
  return error
}

/** The error about an attribute; `meta` is its name in `meta.error` or the whole `meta`. */
export function about(attribute, meta, title) {
  const expected = {
    code: 'VALIDATION_ERROR',
    source: { pointer: `/data/attributes/${attribute}` },
    meta: typeof meta === 'string' ? { error: meta } : meta,
  }
  return title ? { ...expected, title, detail: `${attribute} - ${title}` } : expected
}

/** The error about a parameter of the query. */
export function parameter(code, name) {
  return { code, source: { parameter: name } }
}

export const INVALID_TOKEN = { code: 'INVALID_TOKEN' }
export const ACCESS_DENIED = { code: 'UNAUTHORIZED', title: 'Access denied' }
export const NOT_FOUND = { code: 'RECORD_NOT_FOUND' }
export const WRONG_TOKEN = about('_reset_password_token', 'invalid')
