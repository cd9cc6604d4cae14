//! Roles and scopes, as the API has them and as the inventory has them.

use api::json::{Role, Scope};

pub(super) fn read_role(role: Role) -> inventory::Role {
    match role {
        Role::Viewer => inventory::Role::Viewer,
        Role::Editor => inventory::Role::Editor,
        Role::Owner => inventory::Role::Owner,
    }
}

pub(super) fn shown_role(role: inventory::Role) -> Role {
    match role {
        inventory::Role::Viewer => Role::Viewer,
        inventory::Role::Editor => Role::Editor,
        inventory::Role::Owner => Role::Owner,
    }
}

pub(super) fn shown_scope(scope: inventory::Scope) -> Scope {
    match scope {
        inventory::Scope::Read => Scope::Read,
        inventory::Scope::Zones => Scope::Zones,
        inventory::Scope::Keys => Scope::Keys,
        inventory::Scope::People => Scope::People,
        inventory::Scope::Operate => Scope::Operate,
    }
}

pub(super) fn read_scope(scope: Scope) -> inventory::Scope {
    match scope {
        Scope::Read => inventory::Scope::Read,
        Scope::Zones => inventory::Scope::Zones,
        Scope::Keys => inventory::Scope::Keys,
        Scope::People => inventory::Scope::People,
        Scope::Operate => inventory::Scope::Operate,
    }
}
