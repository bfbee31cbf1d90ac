"""The boards, one folder or file each. Only building them needs grafana-foundation-sdk."""
