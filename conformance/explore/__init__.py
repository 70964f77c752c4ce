"""Exploration: what no list of cases reaches, a search does: a model of a hub, actions, scenarios."""
