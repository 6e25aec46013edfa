// Every predicate of the contract, as the SDK writes it, over the same six resets.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { NEW_PASSWORD, column, newCustomer, sdks, tokenOf } from './clients.js'
import { parameter, refused } from './refusals.js'
import { newEmail, newName, tick } from './service.js'

/** What is filtered: `n` is how a case names one of them. */
const RESETS = [
  { n: 1, reference: 'alpha-1', metadata: { color: 'red', size: { w: 1, h: 2 }, tags: ['a', 'b'] } },
  { n: 2, reference: 'alpha-2', metadata: { color: 'red', size: { w: 2 } } },
  { n: 3, reference: 'beta-1', metadata: { color: 'blue', tags: ['b'] } },
  { n: 4, reference: 'beta_2', metadata: { color: 'blue', on: true } },
  { n: 5, reference: '', metadata: {} },
  { n: 6, metadata: { color: null } },
]

/** Filters, and which resets they find: what depends on the run is a function of the resets. */
const CASES = [
  [{ reference_eq: 'alpha-1' }, 1],
  [{ reference_eq: 'ALPHA-1' }],
  [{ reference_eq_or_null: 'alpha-1' }, 1, 6],
  [{ reference_not_eq: 'alpha-1' }, 2, 3, 4, 5],
  [{ reference_not_eq_or_null: 'alpha-1' }, 2, 3, 4, 5, 6],
  [{ reference_matches: '%a-1' }, 1, 3],
  [{ reference_matches: 'beta_2' }, 4],
  [{ reference_does_not_match: '%a-1' }, 2, 4, 5],
  [{ reference_lt: 'alpha-2' }, 1, 5],
  [{ reference_lteq: 'alpha-2' }, 1, 2, 5],
  [{ reference_gt: 'alpha-2' }, 3, 4],
  [{ reference_gteq: 'alpha-2' }, 2, 3, 4],
  [{ reference_present: true }, 1, 2, 3, 4],
  [{ reference_blank: true }, 5, 6],
  [{ reference_null: true }, 6],
  [{ reference_null: false }, 1, 2, 3, 4, 5],
  [{ reference_not_null: true }, 1, 2, 3, 4, 5],
  [{ reference_start: 'alpha' }, 1, 2],
  [{ reference_not_start: 'alpha' }, 3, 4, 5],
  [{ reference_end: '-1' }, 1, 3],
  [{ reference_not_end: '-1' }, 2, 4, 5],
  [{ reference_cont: 'a-' }, 1, 2, 3],
  [{ reference_cont: '%' }],
  [{ reference_not_cont: 'a-' }, 4, 5],
  [{ reference_in: ['alpha-1', 'beta-1', 'gamma'] }, 1, 3],
  [{ reference_in: 'alpha-1,beta-1' }, 1, 3],
  [{ reference_in_or_null: 'alpha-1,beta-1' }, 1, 3, 6],
  [{ reference_not_in: ['alpha-1', 'beta-1'] }, 2, 4, 5],
  [{ reference_not_in_or_null: ['alpha-1', 'beta-1'] }, 2, 4, 5, 6],
  [{ reference_matches_any: ['alpha%', '%2'] }, 1, 2, 4],
  [{ reference_matches_all: ['alpha%', '%2'] }, 2],
  [{ reference_does_not_match_any: ['alpha%', '%2'] }, 1, 3, 4, 5],
  [{ reference_does_not_match_all: ['alpha%', '%2'] }, 3, 5],
  [{ reference_lt_any: ['alpha-2', 'beta-1'] }, 1, 2, 5],
  [{ reference_lteq_all: ['alpha-2', 'beta-1'] }, 1, 2, 5],
  [{ reference_gt_any: ['alpha-2', 'beta-1'] }, 3, 4],
  [{ reference_gteq_all: ['alpha-2', 'beta-1'] }, 3, 4],
  [{ reference_start_any: ['alpha-2', 'beta'] }, 2, 3, 4],
  [{ reference_start_all: ['beta', 'beta-'] }, 3],
  [{ reference_end_any: ['-2', '_2'] }, 2, 4],
  [{ reference_end_all: ['1', 'a-1'] }, 1, 3],
  [{ reference_cont_any: ['pha-2', 'eta'] }, 2, 3, 4],
  [{ reference_cont_all: ['a', '1'] }, 1, 3],
  [{ reference_not_start_any: ['alpha', 'beta'] }, 1, 2, 3, 4, 5],
  [{ reference_not_start_all: ['alpha', 'beta'] }, 5],
  [{ reference_not_end_any: ['1', '2'] }, 1, 2, 3, 4, 5],
  [{ reference_not_end_all: ['1', '2'] }, 5],
  [{ reference_not_eq_all: ['alpha-1', 'beta-1'] }, 2, 4, 5],
  [{ reference_not_cont_all: ['alpha', '2'] }, 3, 5],
  [{ metadata_jcont: { color: 'red' } }, 1, 2],
  [{ metadata_jcont: { size: { w: 1 } } }, 1],
  [{ metadata_jcont: { tags: ['b'] } }, 1, 3],
  [{ metadata_jcont: { on: true } }, 4],
  [{ metadata_jcont: { color: null } }, 6],
  [{ metadata_jcont: '{"color":"blue"}' }, 3, 4],
  [{ reset_password_at_null: true }, 1, 2, 3, 4, 5],
  [{ reset_password_at_not_null: true }, 6],
  [{ reset_password_at_present: true }, 6],
  [{ created_at_gt: (resets) => resets[2].created_at }, 4, 5, 6],
  [{ created_at_gteq: (resets) => resets[2].created_at }, 3, 4, 5, 6],
  [{ created_at_lt: (resets) => resets[2].created_at }, 1, 2],
  [{ created_at_lteq: (resets) => resets[2].created_at }, 1, 2, 3],
  [{ created_at_eq: (resets) => resets[2].created_at }, 3],
  [{ created_at_in: (resets) => column(resets.slice(0, 2), 'created_at') }, 1, 2],
  [{ created_at_gteq: (resets) => resets[1].created_at, created_at_lt: (resets) => resets[4].created_at }, 2, 3, 4],
  [{ updated_at_gt: (resets) => resets[5].created_at }, 6],
  [{ id_eq: (resets) => resets[0].id }, 1],
  [{ id_in: (resets) => column(resets.slice(1, 3), 'id') }, 2, 3],
  [{ id_not_in: (resets) => column(resets.slice(1), 'id') }, 1],
  [{ reset_password_token_eq: (resets) => resets[1].reset_password_token }, 2],
  [{ reset_password_token_eq: 'wrong' }],
  [{ customer_email_eq: (resets) => resets[0].customer_email }, 1, 2, 3, 4, 5],
  [{ customer_email_eq: (resets) => resets[0].customer_email.toUpperCase() }, 1, 2, 3, 4, 5],
  [{ customer_email_start: 'other-' }, 6],
  [{ customer_email_in: (resets) => [resets[0].customer_email, resets[5].customer_email] }, 1, 2, 3, 4, 5, 6],
  [{ customer_id_eq: (resets) => resets[5].customer.id }, 6],
  [{ customer_reference_eq: 'vip' }, 6],
  [{ customer_has_password_true: true }, 1, 2, 3, 4, 5, 6],
  [{ customer_has_password_false: true }],
  [{ events_name_eq: 'customer_password_resets.reset_password' }, 6],
  [{ reference_or_customer_reference_eq: 'vip' }, 6],
  [{ reference_or_reference_origin_cont: 'alpha' }, 1, 2],
  [{ reference_or_customer_email_start: 'other-' }, 6],
  [{ reference_start: 'alpha', metadata_jcont: { size: { w: 2 } } }, 2],
]

for (const { name, connect } of sdks) {
  describe(`${name}, filters`, () => {
    const reference_origin = newName()
    let resets
    const made = []

    before(async () => {
      const backOffice = connect(await tokenOf('integration'))
      resets = backOffice.customer_password_resets
      const [one, other] = [
        await newCustomer(backOffice),
        await newCustomer(backOffice, { email: newEmail('other'), reference: 'vip' }),
      ]
      for (const { n, ...attributes } of RESETS) {
        const customer_email = n === 6 ? other.email : one.email
        const sent = { customer_email, reference_origin, ...attributes }
        made.push(await resets.create(sent, { include: ['customer'] }))
        await tick()
      }
      const { id, reset_password_token } = made[5]
      await resets.update({ id, customer_password: NEW_PASSWORD, _reset_password_token: reset_password_token })
    })

    for (const [asked, ...expected] of CASES) {
      test(`${shown(asked)} finds ${expected.join(', ') || 'none'}`, async () => {
        const filters = { reference_origin_eq: reference_origin }
        for (const [filter, value] of Object.entries(asked)) {
          filters[filter] = typeof value === 'function' ? value(made) : value
        }
        const found = await resets.list({ filters, sort: ['created_at'], pageSize: 25 })
        const ids = column(made, 'id')
        assert.deepEqual(column(found, 'id').map((id) => ids.indexOf(id) + 1), expected)
        assert.equal(await resets.count(filters), expected.length)
      })
    }

    test('a filter that the contract does not have is refused by its name', async () => {
      for (const filter of ['customer_password_eq', 'reference_like', 'reference', 'customer_orders_id_eq', 'metadata_eq']) {
        const call = resets.list({ filters: { [filter]: 'x' } })
        await refused(call, 400, parameter('FILTER_NOT_ALLOWED', `filter[q][${filter}]`))
      }
      const call = resets.list({ filters: { reset_password_token_start: 'a' } })
      await refused(call, 400, parameter('FILTER_NOT_ALLOWED', 'filter[q][reset_password_token_start]'))
    })

    test('a value that the attribute cannot have is refused by the filter\'s name', async () => {
      for (const [filter, value] of [['created_at_gt', 'yesterday'], ['reference_null', 'maybe'], ['metadata_jcont', 'red']]) {
        const call = resets.list({ filters: { [filter]: value } })
        await refused(call, 400, parameter('INVALID_FILTER_VALUE', `filter[q][${filter}]`))
      }
    })
  })
}

function shown(filters) {
  const value = (value) => (typeof value === 'function' ? '…' : JSON.stringify(value))
  return Object.entries(filters).map(([filter, asked]) => `${filter} ${value(asked)}`).join(' and ')
}
