/// The spec of a pipeline that predicts orders, from when they are placed to when they are delivered, once for each stage and then
/// every so often. Without a model: one fallback speaks. `more` are further lines of the case, such as its label.
pub fn predicted(more: &str, every: &str) -> String {
    format!(
        r#"
[source.orders]
topic = "orders"
key = "order_id"
time = "at"
skew = "30s"
lateness = "10m"

[source.orders.fields]
type = "string"
store = "string"

[group.stores]
entity = "store"
key = "store"
source = "orders"
hop = "1m"
features.orders = {{ count = "*", windows = ["5m"] }}

[case]
entity = "order"
longest = "2h"
{more}
entities = {{ store = "store" }}

[case.stages]
placed = {{ source = "orders", where = "type = 'placed'" }}
accepted = {{ source = "orders", where = "type = 'accepted'" }}
ready = {{ source = "orders", where = "type = 'ready'" }}
delivered = {{ source = "orders", where = "type = 'delivered'" }}

[case.ends]
cancelled = {{ source = "orders", where = "type = 'cancelled'" }}

[case.attributes]
store = "store"

[case.triggers]
stages = ["placed", "accepted", "ready"]
every = "{every}"

[[case.fallback]]
name = "anywhere"
seconds = "1800"
spread = [0.6, 1.0, 1.4, 1.8]
"#
    )
}
