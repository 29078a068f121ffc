"""The commands that change or show who may do what on a running stack.

Each prints aligned lines for people, or one JSON document with `--json`, whose names stay: a later version
may add some. Times are RFC 3339 in UTC, or null. `changed` is false where there was nothing to do, which is
no error: the exit status is 0. An error is a line on stderr and nothing on stdout; the status is 1, or 2 if
the command was written wrongly.

    tenant      tenant_id, name, plan, suspended_at
    client      client_id, tenant_id, scopes, dpop_bound, created_at, revoked_at,
                secrets: [created_at, expires_at], public_keys: [kid]
    key         kid, state, published_at, signs_from, until
    signer      address, duty, is_confirmer, balance_wei (text, for it exceeds a number's exact digits),
                open_transactions, next_nonce
    event       event_id, at, actor, act, subject, facts
    issued      tenant_id, number, sequence, currency, event_time, ingestion_time,
                total_micros (text)

    tenant add|suspend|resume    a tenant, changed
    tenant list                  tenants
    client add|rotate            a client, changed, client_secret
    client revoke                a client, changed
    client list                  clients
    keys rotate                  keys, changed
    keys list                    keys
    verify                       job_id, tenant_id, confirmation, verified,
                                 checks: [check, holds, expected, found]; with --materialize: changed.
                                 The status is 1 if a check does not hold, and 2 if there is no such job
    signers rotate               signers, changed
    signers list                 signers
    audit                        events
    usage ingest                 new, known, refused: [line, reason; if it contradicts: known, sent],
                                 to_adjust: [tenant_id, period]. The status is 1 if a line is refused
    invoices close               period, tenants: [tenant_id, name, outcome; of what is issued: as issued]
    invoices list                period, invoices: issued
    invoices show                as the API answers
    reconcile                    period, tenant_id (null: of all), compared: how many of each,
                                 confirmations: currency and, as text, earned_micros, gas_cost_micros,
                                 margin_micros; zero_drift, not_checked: sentences,
                                 differences: [kind, tenant, where, expected, found, evidence].
                                 The status is 1 if anything differs

Two print documents and nothing else: `usage export` an event a line, in the shape of CloudEvents 1.0, and
`invoices recompute` the invoice as the API answers it.
"""
